"""Server-sent events: one stream of the bus as an ASGI answer (spec: HTTP layer, section 11; events, section 6)."""

import asyncio
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qs

import anyio

from opencode.core.tasks import task_group
from opencode.event.bus import EventBus
from opencode.event.frame import Envelope
from opencode.event.server_events import ServerHeartbeat
from opencode.event.subscription import Subscription
from opencode.http.answer import Receive, Scope, Send
from opencode.http.departure import cancel_on_departure

HEARTBEAT_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 1.0
HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class EventStream:
    """ASGI app: the events of one directory, or of all (``directory`` None), until either side ends it.

    Begins with ``server.connected`` and continues after the cursor in ``Last-Event-ID`` or ``?since=``. A heartbeat
    goes out every ``heartbeat_seconds``. Ends when the instance is disposed of, when the bus closes, and when the
    client does not read; then the client comes back with its cursor.
    """

    def __init__(
        self,
        bus: EventBus,
        directory: str | None,
        *,
        envelope: Envelope | None = None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._bus = bus
        self._directory = directory
        self._envelope = envelope
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writing = anyio.CancelScope()
        async with (
            self._bus.subscribe(
                self._directory, requested_cursor(scope), envelope=self._envelope, on_lag=writing.cancel
            ) as subscription,
            task_group() as tasks,
        ):
            tasks.start_soon(cancel_on_departure, receive, tasks.cancel_scope)
            with writing, _Heartbeat(subscription, self._heartbeat_seconds):
                await _write(subscription, send)
            with anyio.move_on_after(GOODBYE_SECONDS):
                await send({"type": "http.response.body", "body": b""})
            tasks.cancel_scope.cancel()


def requested_cursor(scope: Scope) -> str | None:
    """The cursor after which the client wants to continue; None for a fresh start."""
    for name, value in scope["headers"]:
        if name == b"last-event-id" and value:
            return str(value, "latin-1")
    return parse_qs(str(scope["query_string"], "latin-1")).get("since", [None])[0]


async def _write(subscription: Subscription, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    async with aclosing(subscription.batches()) as batches:
        async for batch in batches:
            await send({"type": "http.response.body", "body": batch, "more_body": True})


class _Heartbeat:
    """While entered, puts a heartbeat into a stream's buffer at a fixed interval."""

    def __init__(self, subscription: Subscription, seconds: float) -> None:
        self._subscription = subscription
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._beat)

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._subscription.push_local(ServerHeartbeat())
        self.__enter__()
