"""The local address to which a provider's page sends the browser back with a code."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import anyio
import httptools
from anyio.abc import SocketStream

from opencode.core.tasks import task_group
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable

LOOPBACK = "127.0.0.1"
LARGEST_REQUEST_BYTES = 32 * 1024
REQUEST_SECONDS = 10.0
CONNECTIONS = 8
LONGEST_REASON = 300
DONE = "You are signed in. You can close this page."
REFUSED = "You are not signed in. You can close this page and try again."
STRANGE = "Nobody waits for this."
_NO_BROWSER = (
    anyio.EndOfStream,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    httptools.HttpParserError,
    OSError,
    ValueError,
)
"""What comes of connections that are no request of a browser."""


class Redirect:
    """Waits for the browser. Open with :func:`open_redirect`; ``url`` is where the provider sends it."""

    def __init__(self, url: str, path: str, state: str) -> None:
        self.url = url
        self._path = path
        self._state = state
        self._came = anyio.Event()
        self._code = ""
        self._refusal = ""
        self._room = anyio.Semaphore(CONNECTIONS)

    async def code(self) -> str:
        """The code that the browser brings. Raises ``ServerRefused`` when it brings a refusal."""
        await self._came.wait()
        if self._refusal:
            raise ServerRefused(self._refusal)
        return self._code

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request."""
        async with self._room, stream:
            with anyio.move_on_after(REQUEST_SECONDS):
                try:
                    status, text = self._take(await _requested(stream))
                    await stream.send(_page(status, text))
                except _NO_BROWSER:
                    pass  # nobody waits for an answer

    def _take(self, target: str) -> tuple[str, str]:
        """What a request brings. Only what knows the state counts: other pages can send requests here, too."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        known = hmac.compare_digest(query.get("state", "").encode(), self._state.encode())
        if url.path != self._path or not known or self._came.is_set():
            return "404 Not Found", STRANGE
        if code := query.get("code"):
            self._code = code
            self._came.set()
            return "200 OK", DONE
        reason = query.get("error_description") or query.get("error") or "no code came back"
        self._refusal = f"The provider did not sign you in: {reason[:LONGEST_REASON]}"
        self._came.set()
        return "400 Bad Request", REFUSED


@asynccontextmanager
async def open_redirect(port: int, path: str, state: str) -> AsyncIterator[Redirect]:
    """Listen on a port of this machine until the context is left. Raises ``ServerUnreachable`` when it is taken."""
    try:
        listener = await anyio.create_tcp_listener(local_host=LOOPBACK, local_port=port)
    except OSError as error:
        raise ServerUnreachable(
            f"Port {port} of this machine is needed for the way back from the browser and cannot be had"
            f" ({error.strerror}): end what uses it, perhaps another sign-in, or choose the way without a browser"
        ) from None
    async with listener:
        bound = listener.extra(anyio.abc.SocketAttribute.local_port)
        redirect = Redirect(f"http://localhost:{bound}{path}", path, state)
        async with task_group() as tasks:
            tasks.start_soon(listener.serve, redirect.serve)
            try:
                yield redirect
            finally:
                tasks.cancel_scope.cancel()


class _Target:
    """Collects the target of a request for the parser."""

    def __init__(self) -> None:
        self.url = b""
        self.is_whole = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_headers_complete(self) -> None:
        self.is_whole = True


async def _requested(stream: SocketStream) -> str:
    """The target of the request. Raises what the stream and the parser raise, and ``ValueError``."""
    target = _Target()
    parser = httptools.HttpRequestParser(target)
    size = 0
    while not target.is_whole:
        data = await stream.receive()
        size += len(data)
        if size > LARGEST_REQUEST_BYTES:
            raise ValueError("the request is too large")
        parser.feed_data(data)
    return target.url.decode("ascii", "replace")


def _page(status: str, text: str) -> bytes:
    body = f"<!doctype html><meta charset=utf-8><title>opencode</title><p>{text}</p>".encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\n\r\n"
    )
    return head.encode() + body
