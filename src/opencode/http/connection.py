"""One connection: uvicorn's HTTP protocol, with a short way for answers that need no waiting."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from opencode.http.answer import Answer
from opencode.http.app import Application
from opencode.http.protocol import BoundedHttpProtocol
from opencode.http.request import Request

_HEAD: Final = b"HTTP/1."
_EXPECTS_MORE: Final = frozenset({b"transfer-encoding", b"expect"})


class HttpConnection(BoundedHttpProtocol):
    """Serves one connection.

    A read that the application answers at once is answered as soon as its head is here, without a task and the ASGI
    messages. Everything else goes uvicorn's way.

    uvicorn writes the head and the body of a response one after the other, and each write is a system call that may
    wake the client: joined, a small request costs about a third less.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._application: Application = cast(Application, self.app)
        self._is_first = False
        self._is_answered = False
        self._at_work: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_HeadJoiner(transport, asyncio.get_running_loop()))  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone. uvicorn tells the latest request only, which may still wait behind the one at work."""
        if self._at_work is not None and not self._at_work.response_complete:
            self._at_work.disconnected = True
            self._at_work.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What came in. Of requests sent in one go, only the first may be answered here: others have their turn."""
        self._is_first = True
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Answer, or let uvicorn start a task."""
        headers = dict(self.headers)
        if not self._is_plain_read(headers):
            super().on_headers_complete()
            return
        url = httptools.parse_url(self.url)
        request = Request("GET", url.path.decode("ascii"), url.query or b"", headers, scheme=self.scheme or "http")
        begun = self._application.begin(request)
        if isinstance(begun, Answer):
            self._in_fields, self._is_answered = False, True
            self._send(begun)
        else:
            self.app = begun
            super().on_headers_complete()
            self.app = self._application

    def on_message_complete(self) -> None:
        """The request is over."""
        if self._is_answered:
            self._is_answered = False
        else:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._at_work = cycle
        super()._start_asgi_task(cycle, app)

    def _is_plain_read(self, headers: dict[bytes, bytes]) -> bool:
        """A ``GET`` without a body, when nothing before it waits and the client takes what it is sent."""
        is_first, self._is_first = self._is_first, False
        return (
            is_first
            and self.parser.get_method() == b"GET"
            and (self.cycle is None or self.cycle.response_complete)
            and headers.get(b"content-length", b"0") == b"0"
            and _EXPECTS_MORE.isdisjoint(headers)
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.flow.write_paused
        )

    def _send(self, answer: Answer) -> None:
        head = [STATUS_LINE[answer.status]]
        for name, value in answer.headers:
            head += (name, b": ", value, b"\r\n")
        head.append(b"content-length: %d\r\n\r\n" % len(answer.body))
        self.transport.writelines((b"".join(head), answer.body))


class _HeadJoiner:
    """A transport that holds back a head until the body follows, at the latest until the next turn of the loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send bytes in the order they are given."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Send several pieces at once."""
        self._flush()
        self._transport.writelines(pieces)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
