"""Requests to the servers that give out tokens: small, bounded, and silent about what was sent."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from anyio import to_thread

from opencode.core.masking import MASK
from opencode.core.version import SERVER_VERSION
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable

if TYPE_CHECKING:
    import httpx2

REQUEST_SECONDS = 30.0
LARGEST_ANSWER_BYTES = 256 * 1024
LONGEST_REASON = 300
LONGEST_SECONDS = 10 * 365 * 86_400.0
TROUBLE = frozenset({408, 429})
PUBLIC = frozenset({"client_id", "grant_type", "scope", "redirect_uri"})
"""Fields of a request that are no secret."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenAnswer:
    """What the server says. ``data`` is empty when that is no JSON object; ``reason`` is fit to be shown."""

    status: int
    data: Mapping[str, Any]
    reason: str

    def text(self, name: str) -> str:
        """A field that must be there. Raises ``ServerRefused``."""
        value = self.data.get(name)
        if self.status >= 300 or not isinstance(value, str) or not value:
            raise ServerRefused(self.reason)
        return value

    def seconds(self, name: str, default: float) -> float:
        """A duration, sent as a number or as text."""
        try:
            value = float(self.data.get(name, default))
        except (TypeError, ValueError):
            return default
        return value if 0 <= value <= LONGEST_SECONDS else default


class TokenServer:
    """Sends requests. Open with :func:`open_token_server`."""

    def __init__(self, client: "httpx2.AsyncClient") -> None:
        self._client = client

    async def post(
        self, url: str, *, form: Mapping[str, str] | None = None, json: Mapping[str, str] | None = None
    ) -> TokenAnswer:
        """The answer, whatever its status below 500. Raises ``ServerUnreachable``."""
        import httpx2  # slow to import: only where a request is made

        try:
            async with self._client.stream("POST", url, data=form, json=json) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER_BYTES:
                        raise ServerUnreachable(f"{_host(url)} sends an answer of unreasonable size")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerUnreachable(f"{_host(url)} cannot be reached ({type(error).__name__})") from None
        answer = _read(url, response.status_code, body, form or json or {})
        if answer.status >= 500 or answer.status in TROUBLE:
            raise ServerUnreachable(answer.reason)
        return answer


@asynccontextmanager
async def open_token_server() -> AsyncIterator[TokenServer]:
    """A client for the requests of one sign-in or renewal; on exit its connections are closed."""
    async with await to_thread.run_sync(_new_client) as client:
        yield TokenServer(client)


def _new_client() -> "httpx2.AsyncClient":
    import httpx2  # slow to import: only where a request is made

    headers = {"accept": "application/json", "user-agent": f"opencode-server/{SERVER_VERSION}"}
    return httpx2.AsyncClient(timeout=REQUEST_SECONDS, headers=headers, follow_redirects=False)


def _read(url: str, status: int, body: bytes, sent: Mapping[str, str]) -> TokenAnswer:
    try:
        data = msgspec.json.decode(body)
    except msgspec.DecodeError:
        data = None
    data = data if isinstance(data, dict) else {}
    return TokenAnswer(status, data, f"{_host(url)} answered {status}{_said(data, sent)}")


def _said(data: Mapping[str, Any], sent: Mapping[str, str]) -> str:
    """What the server gives as its reason, without what we had sent: some repeat it."""
    error = data.get("error")
    said = data.get("error_description") or (error.get("message") if isinstance(error, dict) else error)
    if not isinstance(said, str) or not said:
        return ""
    for name, value in sent.items():
        if value and name not in PUBLIC:
            said = said.replace(value, MASK)
    return f": {said[:LONGEST_REASON]}"


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2] or "The server"
