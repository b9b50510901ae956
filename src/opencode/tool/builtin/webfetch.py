"""``webfetch``: a page or file from the web (spec: tools core, section 8)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from anyio.to_thread import run_sync
from msgspec import Meta

from opencode.core.internal_address import TurnsInside, refuse_turn_inside
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.tool.description import prompt_text
from opencode.tool.html_text import html_to_markdown, html_to_text
from opencode.tool.tool import Attachment, Tool, ToolContext, ToolError, ToolResult

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"opencode-server/{SERVER_VERSION}"
DEFAULT_TIMEOUT_SECONDS = 30
MAX_TIMEOUT_SECONDS = 120
MAX_BYTES = 5 * 1024 * 1024

Format = Literal["text", "markdown", "html"]
_ACCEPT: dict[Format, str] = {
    "markdown": "text/markdown;q=1.0, text/x-markdown;q=0.9, text/plain;q=0.8, text/html;q=0.7, */*;q=0.1",
    "text": "text/plain;q=1.0, text/markdown;q=0.9, text/html;q=0.8, */*;q=0.1",
    "html": "text/html;q=1.0, application/xhtml+xml;q=0.9, text/plain;q=0.8, */*;q=0.1",
}
_NOT_PICTURES = frozenset({"image/svg+xml", "image/vnd.fastbidsheet"})


class WebFetchParams(Wire):
    """Arguments of ``webfetch``."""

    url: Annotated[str, Meta(description="Address, with http:// or https://.")]
    format: Annotated[
        Format, Meta(description="How a page comes back: markdown (default), text, or html as it was sent.")
    ] = "markdown"
    timeout: Annotated[float, Meta(description="Seconds to wait at most. Default 30, at most 120.")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whole."""

    content_type: str
    body: bytes
    charset: str

    @property
    def mime(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body in the character set it claims, or UTF-8."""
        try:
            return self.body.decode(self.charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


class WebFetchTool(Tool[WebFetchParams]):
    """``webfetch``: a page as markdown, text or HTML; a picture as attachment. No address is refused but by rules."""

    id = "webfetch"
    params = WebFetchParams

    def __init__(self) -> None:
        self.description = prompt_text("opencode.tool.builtin", "webfetch.md")

    def limit_seconds(self, given: Mapping[str, Any]) -> float | None:
        return min(float(given.get("timeout") or DEFAULT_TIMEOUT_SECONDS), MAX_TIMEOUT_SECONDS)

    async def run(self, params: WebFetchParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` for an address that cannot be fetched, in time and within the size."""
        if not params.url.startswith(("http://", "https://")):
            raise ToolError("URL must start with http:// or https://")
        asked: dict[str, Any] = {"url": params.url, "format": params.format}
        if params.timeout is not UNSET:
            asked["timeout"] = params.timeout
        await context.ask("webfetch", patterns=[params.url], always=["*"], metadata=asked)
        seconds = min(set_or(params.timeout, DEFAULT_TIMEOUT_SECONDS), MAX_TIMEOUT_SECONDS)
        try:
            with anyio.fail_after(max(seconds, 0)):
                fetched = await _fetch(params.url, _ACCEPT[params.format])
        except TimeoutError:
            raise ToolError(f"Request timed out after {seconds:g} s: {params.url}") from None
        title = f"{params.url} ({fetched.content_type})"
        if fetched.mime.startswith("image/") and fetched.mime not in _NOT_PICTURES:
            url = f"data:{fetched.mime};base64,{base64.b64encode(fetched.body).decode()}"
            picture = Attachment(mime=fetched.mime, url=url)
            return ToolResult(title=title, output="Image fetched successfully", attachments=[picture])
        return ToolResult(title=title, output=await run_sync(_shown, fetched, params.format))


async def _fetch(url: str, accept: str) -> Fetched:
    import httpx2  # slow to import: only where a request is made

    headers = {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Language": "en-US,en;q=0.9"}
    try:
        async with (
            httpx2.AsyncClient(
                follow_redirects=True, timeout=None, headers=headers, event_hooks={"response": [refuse_turn_inside]}
            ) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                raise ToolError(f"StatusCode: non 2xx status code ({response.status_code} GET {url})")
            body = await _body(response)
            content_type = response.headers.get("content-type", "")
            return Fetched(content_type, body, response.charset_encoding or "utf-8")
    except TurnsInside as refused:
        raise ToolError(f"{refused} Fetch that address itself if it is what you want.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ToolError(f"Request failed: {str(error) or type(error).__name__} (GET {url})") from error


async def _body(response: "httpx2.Response") -> bytes:
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> ToolError:
    return ToolError("Response too large (exceeds 5MB limit)")


def _shown(fetched: Fetched, form: Format) -> str:
    if "html" not in fetched.mime or form == "html":
        return fetched.text
    return html_to_markdown(fetched.text) if form == "markdown" else html_to_text(fetched.text)
