"""The bus: gives every event its place in the order and hands it to streams and listeners."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator
from opencode.core.log import get_logger
from opencode.core.wire import encode
from opencode.event.frame import Envelope, Frame, directory_envelope, global_envelope, local_frame, scope_json, sse
from opencode.event.history import History, LiveEvents
from opencode.event.log import EventLog, NewEvent
from opencode.event.pacer import Pacer
from opencode.event.ring import RING_BYTES, Ring
from opencode.event.schema import Event, EventScope
from opencode.event.server_events import ServerInstanceDisposed
from opencode.event.streams import Streams
from opencode.event.subscription import BUFFER_BYTES, Subscription
from opencode.storage.database import Transaction

E = TypeVar("E", bound=Event)

log = get_logger(__name__)


class EventBus:
    """All events of the process, in one order. Belongs to the event loop.

    ``live_events`` gives, for one directory or all, events that show what is under way, such as open parts with their
    text so far: a client that comes back late has missed what was said of them without being logged.
    """

    def __init__(self, event_log: EventLog, ids: IdGenerator, clock: Clock, *, ring_bytes: int = RING_BYTES) -> None:
        self.live_events: LiveEvents = lambda directory: ()
        self._log = event_log
        self._ids = ids
        self._clock = clock
        self._epoch = event_log.epoch.encode()
        self._position = event_log.last
        self._ring = Ring(floor=event_log.last, limit=ring_bytes)
        self._history = History(event_log, self._ring, ids)
        self._pacer = Pacer()
        self._streams = Streams()
        self._listeners: dict[tuple[str, type[Event]], list[Callable[[Any], None]]] = {}
        self._on_audience: list[Callable[[], None]] = []
        self._uncommitted = 0
        self._postponed: list[Callable[[], None]] = []
        self._closed = False

    def scoped(self, scope: EventScope) -> "EventPublisher":
        """Where one instance publishes its events."""
        return EventPublisher(self, scope)

    @asynccontextmanager
    async def subscribe(
        self,
        directory: str | None,
        after: str | None = None,
        *,
        envelope: Envelope | None = None,
        buffer_bytes: int = BUFFER_BYTES,
        on_lag: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[Subscription]:
        """The events of one directory, or of all, from here on or ``after`` a cursor; as SSE messages.

        Nothing is lost or doubled between what is replayed and what is new. ``on_lag`` is called when the stream
        is given up because its client does not read.
        """
        envelope = envelope or (global_envelope if directory is None else directory_envelope)
        beginning = self._history.begin(directory, envelope, after, self._position, self.live_events)
        history = self._history.read(beginning, directory, envelope)
        local = partial(self._local, envelope)
        subscription = Subscription(history, local, self._pacer, limit=buffer_bytes, on_lag=on_lag)
        if beginning.ended or self._closed:
            subscription.finish()
        self._streams.add(directory, envelope, subscription)
        self._audience_changed()
        try:
            yield subscription
        finally:
            self._streams.remove(directory, envelope, subscription)
            self._audience_changed()

    def close(self) -> None:
        """End every stream, after what it is still to be sent; streams that are opened later end at once."""
        self._closed = True
        self._streams.finish_all()

    def _append(self, tx: Transaction, publisher: "EventPublisher", events: tuple[Event, ...]) -> None:
        numbered: list[tuple[Frame, Event]] = []
        durable: list[NewEvent] = []
        for event in events:
            seq, id, properties = self._log.next_seq(), self._ids.event(), encode(event)
            session_id = getattr(event, "session_id", None) or None
            if event.durable:
                durable.append((seq, id, session_id, event.type, properties))
            frame = Frame(seq, id, event.type, properties, publisher.scope_json, session_id)
            numbered.append((frame, event))
        if durable:
            self._log.append(tx, publisher.scope, self._clock.now_ms(), durable)
        self._uncommitted += 1
        tx.after_commit(partial(self._committed, publisher.scope.directory, numbered))
        tx.after_rollback(self._settled)

    def _committed(self, directory: str, numbered: list[tuple[Frame, Event]]) -> None:
        try:
            for frame, event in numbered:
                self._deliver(directory, frame, event)
        finally:
            self._settled()

    def _settled(self) -> None:
        """An append is delivered or undone; what was published meanwhile has higher numbers and follows."""
        self._uncommitted -= 1
        while self._postponed and not self._uncommitted:
            self._postponed.pop(0)()

    def _publish(self, publisher: "EventPublisher", event: Event, *, ends: bool = False) -> None:
        if self._uncommitted:
            self._postponed.append(partial(self._publish, publisher, event, ends=ends))
            return
        session_id = getattr(event, "session_id", None) or None
        frame = Frame(
            self._log.next_seq(), self._ids.event(), event.type, encode(event), publisher.scope_json, session_id,
            ends=ends,
        )  # fmt: skip
        self._deliver(publisher.scope.directory, frame, event)

    def _deliver(self, directory: str, frame: Frame, event: Event) -> None:
        self._position = frame.seq
        self._ring.add(directory, frame)
        self._streams.send(directory, frame, self._epoch)
        for listener in tuple(self._listeners.get((directory, type(event)), ())):
            try:
                listener(event)
            except Exception:
                log.exception("an event listener failed", type=event.type)

    def _listen(self, key: tuple[str, type[Event]], listener: Callable[[Any], None]) -> Callable[[], None]:
        listeners = self._listeners.setdefault(key, [])
        listeners.append(listener)

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)
            if not listeners and self._listeners.get(key) is listeners:
                del self._listeners[key]

        return stop

    def _forget_listeners(self, directory: str) -> None:
        for key in [key for key in self._listeners if key[0] == directory]:
            del self._listeners[key]

    def _audience_changed(self) -> None:
        for listener in tuple(self._on_audience):
            listener()

    def _local(self, envelope: Envelope, event: Event) -> bytes:
        """A message for one stream alone, with the cursor of this moment."""
        data = envelope(local_frame(event, self._ids.event()))
        return sse(data, b"%b.%d" % (self._epoch, self._position)) if data else b""


class EventPublisher:
    """Publishes the events of one scope."""

    __slots__ = ("_bus", "scope", "scope_json")

    def __init__(self, bus: EventBus, scope: EventScope) -> None:
        self._bus = bus
        self.scope = scope
        self.scope_json = scope_json(scope)

    def append(self, tx: Transaction, *events: Event) -> None:
        """Announce a change once it is committed. The durable ones of the events are logged with it.

        What is sent is what the events say now; nothing is sent when the change is undone.
        """
        self._bus._append(tx, self, events)

    def publish(self, *events: Event) -> None:
        """Announce something now, without logging it: deltas, toasts. A client that is away too long misses it."""
        for event in events:
            self._bus._publish(self, event)

    def dispose(self) -> None:
        """Announce that the instance is gone. Streams of its directory end after that; its listeners are dropped."""
        self._bus._publish(self, ServerInstanceDisposed(directory=self.scope.directory), ends=True)
        self._bus._forget_listeners(self.scope.directory)

    def subscribe_function(self, kind: type[E], listener: Callable[[E], None]) -> Callable[[], None]:
        """Call ``listener`` with every event of exactly this kind in this scope's directory; returns how to stop.

        It is called at once, on the event loop, after the event was handed to the streams, and must not take long.
        """
        return self._bus._listen((self.scope.directory, kind), listener)

    @property
    def has_audience(self) -> bool:
        """Whether a stream is open that shows the events of this scope's directory."""
        return self._bus._streams.has_audience(self.scope.directory)

    @property
    def is_watched(self) -> bool:
        """Whether a stream is open that shows the events of this scope's directory alone."""
        return self._bus._streams.shows_alone(self.scope.directory)

    def on_audience(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` whenever a stream was opened or closed, of whatever directory; returns how to stop."""
        self._bus._on_audience.append(listener)
        return lambda: self._bus._on_audience.remove(listener)
