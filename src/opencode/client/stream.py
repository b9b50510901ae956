"""The event stream of one directory, resumed where it broke."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import anyio
import httpx2
import msgspec

from opencode.client.answer import check
from opencode.client.errors import RequestFailed, StreamLost
from opencode.client.schema import OtherEvent, parse_event
from opencode.event.schema import Event

RESUME_ATTEMPTS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.1
_DISPOSED: Final = "server.instance.disposed"
_STOPPING: Final = 503  # of a server that goes down, maybe to come back
_SILENCE_SECONDS: Final = 35.0  # the server's heartbeat comes every 10


class EventStream:
    """Events in the order of the server, as an async iterator; open while it is entered.

    When the connection ends it is opened again with the cursor of the last event seen, so nothing is missed; where the
    server cannot fill the gap, ``server.resync`` comes. The iterator ends after ``server.instance.disposed``; raises
    :class:`StreamLost` when resuming fails again and again, ``RequestFailed`` when the server refuses it.
    """

    def __init__(self, http: httpx2.AsyncClient, cursor: str | None = None) -> None:
        self._http = http
        self._connection = AsyncExitStack()
        self._events: AsyncIterator[httpx2.ServerSentEvent] | None = None
        self._disposed = False
        self.cursor = cursor
        """What ``Last-Event-ID`` to resume with: the id of the last event seen."""

    async def __aenter__(self) -> Self:
        """Return once the server has begun to answer. Raises what the first request raises."""
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connection.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._disposed:
                raise StopAsyncIteration
            try:
                sent = await self._read()
            except (httpx2.TransportError, httpx2.StreamError) as error:
                await self._resume(error)
                continue
            if sent.id:
                self.cursor = sent.id
            if sent.data:
                return self._parsed(sent.data)

    async def _read(self) -> httpx2.ServerSentEvent:
        assert self._events is not None
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            # The server ends streams that lag behind, and all when it stops; both are made good by resuming.
            raise httpx2.ReadError("the server ended the stream") from None

    def _parsed(self, data: str) -> Event:
        """The typed event; one whose properties are of an unexpected shape is passed on as it is."""
        try:
            event = parse_event(data)
        except msgspec.ValidationError:
            plain = msgspec.json.decode(data)
            event = OtherEvent(kind=str(plain.get("type", "")), properties=plain.get("properties"))
        self._disposed = isinstance(event, OtherEvent) and event.kind == _DISPOSED
        return event

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.cursor} if self.cursor else {})}
        timeout = httpx2.Timeout(10.0, read=_SILENCE_SECONDS)
        response = await self._connection.enter_async_context(
            self._http.stream("GET", "/event", headers=headers, timeout=timeout)
        )
        await check(response)
        self._events = aiter(httpx2.EventSource(response))

    async def _resume(self, error: Exception) -> None:
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(RESUME_ATTEMPTS):
            await self._connection.aclose()
            self._connection, self._events = AsyncExitStack(), None
            await anyio.sleep(pause)
            pause *= 2
            try:
                return await self._connect()
            except httpx2.TransportError as again:
                error = again
            except RequestFailed as refusal:
                if refusal.status != _STOPPING:
                    raise
                error = refusal
        raise StreamLost(RESUME_ATTEMPTS, str(error) or type(error).__name__) from error
