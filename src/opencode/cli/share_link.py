"""What is behind the link of a shared session (spec: CLI, section 2: import)."""

import re
from typing import Any, Final

import httpx2
import msgspec

from opencode.cli.errors import CliError

SECONDS: Final = 60
LIMIT_BYTES: Final = 256 * 1024 * 1024
_LINK: Final = re.compile(r"(?P<base>https?://[^/?#]+(?:/[^?#]*)?)/(?:share|s)/(?P<slug>[^/?#]+)/?(?:[?#].*)?")


def is_link(text: str) -> bool:
    """Whether it is a URL and no file."""
    return text.startswith(("https://", "http://"))


def data_url(link: str) -> str:
    """Where a share page's data is. Raises ``CliError`` for a URL that is no share page."""
    found = _LINK.fullmatch(link)
    if found is None:
        raise CliError(f"{link} is no link of a shared session: https://HOST/share/ID is expected")
    return f"{found['base']}/api/share/{found['slug']}/data"


async def fetch(link: str) -> Any:
    """The JSON behind a link. Raises ``CliError``."""
    url = data_url(link)
    try:
        async with (
            httpx2.AsyncClient(timeout=SECONDS, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code == 404:
                raise CliError(f"Nothing is shared at {link}")
            if not response.is_success:
                raise CliError(f"{url} answered {response.status_code} {response.reason_phrase}")
            return msgspec.json.decode(await _body(response))
    except httpx2.TransportError as error:
        raise CliError(f"{url} cannot be reached: {error or type(error).__name__}") from error
    except msgspec.DecodeError as error:
        raise CliError(f"{url} did not answer with JSON: {error}") from error


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise CliError(f"{response.url} answers with more than a session can have ({LIMIT_BYTES >> 20} MiB)")
    return bytes(body)
