import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from opencode.tool.builtin.webfetch import USER_AGENT, WebFetchParams, WebFetchTool
from opencode.tool.tool import Attachment, ToolContext, ToolError

PAGE = (
    "<!doctype html><html><head><title>Page &amp; one</title><style>p{color:red}</style></head><body><h1>Heading"
    ' one</h1><p>First <b>bold</b> paragraph with a <a href="/next">link</a>.</p><ul><li>one</li><li>two</li></ul>'
    "<script>ignored()</script></body></html>"
)
ANSWERS: dict[str, tuple[str, str, bytes]] = {
    "/one": ("200 OK", "text/html; charset=utf-8", PAGE.encode()),
    "/note.txt": ("200 OK", "text/plain; charset=latin-1", "caf\xe9\n".encode("latin-1")),
    "/dot.png": ("200 OK", "image/png", b"\x89PNG"),
    "/moved": ("302 Found\r\nLocation: /note.txt", "text/plain", b""),
    "/huge": ("200 OK", "text/plain", b"x" * (5 * 1024 * 1024 + 1)),
}


class Site:
    """A small web server that remembers the requests it got."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.url = ""

    async def answer(self, stream: SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive()
            self.requests.append(request.decode())
            path = request.split()[1].decode()
            if path == "/slow":
                await anyio.sleep_forever()
            status, kind, body = ANSWERS.get(path, ("404 Not Found", "text/plain", b"no"))
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            with contextlib.suppress(anyio.BrokenResourceError):
                await stream.send(head.encode() + body)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    site.url = f"http://127.0.0.1:{port}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, site.answer)
        yield site
        tasks.cancel_scope.cancel()


async def test_a_page_comes_back_as_markdown(site: Site, context: ToolContext, recorded: Any) -> None:
    result = await WebFetchTool().run(WebFetchParams(url=f"{site.url}/one"), context)
    assert result.title == f"{site.url}/one (text/html; charset=utf-8)"
    assert result.output == (
        "Page & one\n\n# Heading one\n\nFirst **bold** paragraph with a [link](/next).\n\n- one\n- two"
    )
    assert result.metadata == {}
    assert recorded.asks == [
        {
            "permission": "webfetch",
            "patterns": [f"{site.url}/one"],
            "always": ["*"],
            "metadata": {"url": f"{site.url}/one", "format": "markdown"},
        }
    ]
    assert f"user-agent: {USER_AGENT}" in site.requests[0].lower()
    assert "accept: text/markdown" in site.requests[0].lower()


async def test_a_page_comes_back_as_text_or_as_it_was_sent(site: Site, context: ToolContext) -> None:
    text = await WebFetchTool().run(WebFetchParams(url=f"{site.url}/one", format="text"), context)
    assert text.output == "Page & one\n\nHeading one\n\nFirst bold paragraph with a link.\n\n- one\n- two"
    html = await WebFetchTool().run(WebFetchParams(url=f"{site.url}/one", format="html"), context)
    assert html.output == PAGE


async def test_other_text_is_left_as_it_is_after_redirects_and_in_its_own_characters(
    site: Site, context: ToolContext
) -> None:
    result = await WebFetchTool().run(WebFetchParams(url=f"{site.url}/moved"), context)
    assert result.output == "café\n"


async def test_a_picture_comes_back_as_attachment(site: Site, context: ToolContext) -> None:
    result = await WebFetchTool().run(WebFetchParams(url=f"{site.url}/dot.png"), context)
    assert result.attachments == [Attachment(mime="image/png", url="data:image/png;base64,iVBORw==")]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://example.com", "URL must start with http:// or https://"),
        ("{site}/missing", "StatusCode: non 2xx status code (404 GET {site}/missing)"),
        ("{site}/huge", "Response too large (exceeds 5MB limit)"),
        ("{site}/slow", "Request timed out after 0.2 s: {site}/slow"),
    ],
)
async def test_what_cannot_be_fetched_is_an_error_for_the_model(
    site: Site, context: ToolContext, url: str, fault: str
) -> None:
    with anyio.fail_after(5), pytest.raises(ToolError) as caught:
        await WebFetchTool().run(
            WebFetchParams(url=url.format(site=site.url), timeout=0.2 if url.endswith("slow") else 30), context
        )
    assert str(caught.value) == fault.format(site=site.url)


async def test_a_server_that_is_not_there_is_an_error_for_the_model(context: ToolContext) -> None:
    with pytest.raises(ToolError, match="Request failed"):
        await WebFetchTool().run(WebFetchParams(url="http://127.0.0.1:1/"), context)
