"""What is behind the link of a shared session (spec: CLI, section 2: import)."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
import msgspec

from opencode.cli.errors import CliError

SECONDS: Final = 60
LIMIT_BYTES: Final = 256 * 1024 * 1024
NOT_THERE: Final = (401, 404)
"""A server of ours that wants a password has one answer for every path it does not know."""
_LINK: Final = re.compile(r"(?P<base>https?://[^/?#]+(?:/[^?#]*)?)/(?P<folder>share|s)/(?P<slug>[^/?#]+)/?(?:[?#].*)?")


def is_link(text: str) -> bool:
    """Whether it is a URL and no file."""
    return text.startswith(("https://", "http://"))


def data_urls(link: str) -> list[str]:
    """Where a share page's data may be: as this program serves it, then as OpenCode's share server does.

    Raises ``CliError`` for a URL that is no share page.
    """
    found = _LINK.fullmatch(link)
    if found is None:
        raise CliError(f"{link} is no link of a shared session: https://HOST/share/ID is expected")
    base, slug = found["base"], found["slug"]
    ours = [f"{base}/share/{slug}/data"] if found["folder"] == "share" else []
    return [*ours, f"{base}/api/share/{slug}/data"]


async def fetch(link: str) -> Any:
    """The JSON behind a link. Raises ``CliError``."""
    *others, last = data_urls(link)
    async with httpx2.AsyncClient(timeout=SECONDS, follow_redirects=True) as client:
        for url in others:
            async with _asked(client, url) as response:
                if response.is_success and response.headers.get("content-type", "").startswith("application/json"):
                    return await _json(response)
        async with _asked(client, last) as response:
            if response.status_code in NOT_THERE:
                raise CliError(f"Nothing is shared at {link}")
            if not response.is_success:
                raise CliError(f"{last} answered {response.status_code} {response.reason_phrase}")
            return await _json(response)


@asynccontextmanager
async def _asked(client: httpx2.AsyncClient, url: str) -> AsyncIterator[httpx2.Response]:
    """The answer, its body unread. Raises ``CliError`` when there is none, or when it breaks off."""
    try:
        async with client.stream("GET", url) as response:
            yield response
    except httpx2.TransportError as error:
        raise CliError(f"{url} cannot be reached: {error or type(error).__name__}") from error


async def _json(response: httpx2.Response) -> Any:
    try:
        return msgspec.json.decode(await _body(response))
    except msgspec.DecodeError as error:
        raise CliError(f"{response.url} did not answer with JSON: {error}") from error


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise CliError(f"{response.url} answers with more than a session can have ({LIMIT_BYTES >> 20} MiB)")
    return bytes(body)
