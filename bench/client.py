"""A small HTTP client that costs little: what is measured is the server, not who asks it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httptools

CONNECTED = "server.connected"


class RequestFailed(Exception):
    """The server answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server and one directory it works for."""

    port: int
    directory: str

    def request(self, method: str, path: str, body: object = None, headers: str = "") -> bytes:
        """The bytes of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\nx-opencode-directory: {self.directory}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n{headers}\r\n"
        )
        return head.encode() + content


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._keeps_body = True

    async def drain(self, request: bytes) -> None:
        """Read the answer to its end without keeping it: to join a large one would hold up what else is measured."""
        self._keeps_body = False
        try:
            await self.ask(request)
        finally:
            self._keeps_body = True

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises ``RequestFailed``."""
        if self._transport is None or self._transport.is_closing():
            raise RequestFailed("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        status, body = await self._answer
        if status >= 400:
            line = request.split(b"\r\n", 1)[0].decode()
            raise RequestFailed(f"{line}: {status} {body[:300]!r}")
        return body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # --- asyncio's side -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RequestFailed("the server closed the connection"))

    # --- the parser's side --------------------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        if self._keeps_body:
            self._body.append(body)

    def on_message_complete(self) -> None:
        body, self._body = b"".join(self._body), []
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))


class EventStream(asyncio.Protocol):
    """An open ``GET /event`` that counts the events of some types as they arrive."""

    def __init__(self, *types: str) -> None:
        self._marks = {name: f'"type":"{name}"'.encode() for name in (CONNECTED, *types)}
        self._keep = max(map(len, self._marks.values())) - 1
        self._tail = b""
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []
        self.counts = dict.fromkeys(self._marks, 0)
        self.first_at: dict[str, float] = {}
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        text = self._tail + data
        for name, mark in list(self._marks.items()):
            # What the tail holds whole, as it may of a shorter mark, was counted before.
            new = text.count(mark) - (self._tail.count(mark) if len(mark) <= len(self._tail) else 0)
            if new:
                self._count(name, new)
        self._tail = text[-self._keep :]

    def _count(self, name: str, new: int) -> None:
        self.counts[name] += new
        self.first_at.setdefault(name, time.monotonic())
        if name == CONNECTED:
            # It comes once, and looking for it is what a busy stream costs us most.
            del self._marks[CONNECTED]
            self._keep = max(map(len, self._marks.values()), default=1) - 1
        for wanted, count, future in self._waiting:
            if self.counts[wanted] >= count and not future.done():
                future.set_result(None)

    async def reached(self, name: str, count: int) -> None:
        """Wait until so many events of a type have come."""
        if self.counts[name] >= count:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (name, count, future)
        self._waiting.append(entry)
        try:
            # Not ``wait_for``: before Python 3.12 it swallows a cancellation that comes just as the future is done.
            async with asyncio.timeout(120):
                await future
        finally:
            self._waiting.remove(entry)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


@asynccontextmanager
async def connected(port: int, count: int = 1) -> AsyncIterator[list[Connection]]:
    """Some connections to a server."""
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()


@asynccontextmanager
async def listening(target: Target, count: int, *types: str) -> AsyncIterator[list[EventStream]]:
    """Some open event streams of a directory, each past its greeting."""
    loop = asyncio.get_running_loop()
    streams: list[EventStream] = []
    try:
        for _ in range(count):
            made = await loop.create_connection(lambda: EventStream(*types), "127.0.0.1", target.port)
            transport, stream = made
            streams.append(stream)
            transport.write(target.request("GET", "/event", headers="accept: text/event-stream\r\n"))
        for stream in streams:
            await stream.reached("server.connected", 1)
        yield streams
    finally:
        for stream in streams:
            stream.close()


async def ask_json(target: Target, method: str, path: str, body: object = None) -> Any:
    """One request on a connection of its own; the decoded answer (None when it is empty)."""
    async with connected(target.port) as (connection,):
        answer = await connection.ask(target.request(method, path, body))
        return json.loads(answer) if answer else None


async def answers(target: Target, path: str, timeout_seconds: float) -> bool:
    """Whether the server answers 2xx in time; not when it does not listen yet."""
    try:
        async with asyncio.timeout(timeout_seconds), connected(target.port) as (connection,):
            await connection.ask(target.request("GET", path))
    except (OSError, RequestFailed, TimeoutError):
        return False
    return True
