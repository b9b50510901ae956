"""One connection: uvicorn's HTTP protocol, sending a response's head together with its body."""

import asyncio
from typing import Any, Final

from opencode.http.protocol import BoundedHttpProtocol

_HEAD: Final = b"HTTP/1."


class HttpConnection(BoundedHttpProtocol):
    """Serves one connection.

    uvicorn writes the head and the body of a response one after the other, and each write is a system call that may
    wake the client: joined, a small request costs about a third less.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_HeadJoiner(transport, asyncio.get_running_loop()))  # type: ignore[arg-type]


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
