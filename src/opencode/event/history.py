"""What a stream begins with: a greeting, and what its client missed since its cursor.

Three cases. Memory still holds everything after the cursor: exactly that is sent, deltas included. Only the log
reaches back that far: the durable events are sent from there, then the present state of what is under way. Neither
does: ``server.resync`` says so. In every case the stream goes on with what was published after it began.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field

from opencode.core.ids import IdGenerator
from opencode.core.wire import encode
from opencode.event.cursor import Cursor, parse_cursor
from opencode.event.frame import Envelope, Frame, local_frame, scope_json, sse
from opencode.event.log import EventLog, LoggedEvent
from opencode.event.ring import Ring
from opencode.event.schema import Event, EventScope
from opencode.event.server_events import ResyncReason, ServerConnected, ServerResync

LiveEvents = Callable[[str | None], Iterable[tuple[EventScope, Event]]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers ``(after, until]`` that only the log still knows. Below ``safe`` a client may resume from them."""

    after: int
    until: int
    safe: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """``first`` is sent at once, then the gap from the log, then ``present``. ``ended``: and nothing after that."""

    first: bytes
    gap: Gap | None = None
    present: list[bytes] = field(default_factory=list)
    ended: bool = False


class History:
    """Decides what a stream begins with and reads it."""

    def __init__(self, event_log: EventLog, ring: Ring, ids: IdGenerator) -> None:
        self._log = event_log
        self._ring = ring
        self._ids = ids

    def begin(
        self, directory: str | None, envelope: Envelope, after: str | None, position: int, live_events: LiveEvents
    ) -> Beginning:
        """How to begin a stream at ``position``, the number of the latest event. Takes no time, so nothing slips by."""
        here = Cursor(self._log.epoch, position)
        if after is None:
            return Beginning(self._local(ServerConnected(), envelope, here))
        cursor = parse_cursor(after)
        obstacle = self._obstacle(cursor, position)
        if cursor is None or obstacle is not None:
            resync = ServerResync(reason=obstacle or "malformed")
            # The greeting moves no cursor: if the stream breaks right after it, the client must be told again.
            return Beginning(self._local(ServerConnected(), envelope, None) + self._local(resync, envelope, here))
        # The greeting repeats the client's cursor: if the stream breaks right after it, nothing has been skipped.
        greeting = self._local(ServerConnected(), envelope, cursor)
        if cursor.seq >= self._ring.floor:
            return self._from_memory(greeting, directory, envelope, cursor.seq)
        return Beginning(
            greeting,
            gap=Gap(cursor.seq, position, safe=self._ring.floor),
            present=[
                sse(data, None)
                for scope, event in live_events(directory)
                if (data := envelope(Frame(0, self._ids.event(), event.type, encode(event), scope_json(scope))))
            ],
        )

    async def read(self, beginning: Beginning, directory: str | None, envelope: Envelope) -> AsyncGenerator[bytes]:
        """The beginning, in batches. Raises ``CursorExpired`` when the log loses events that are still to be sent."""
        yield beginning.first
        if beginning.gap is not None:
            gap = beginning.gap
            async for chunk in self._log.replay(gap.after, gap.until, directory):
                yield b"".join(self._replayed(event, gap, envelope) for event in chunk)
        if beginning.present:
            yield b"".join(beginning.present)

    def _obstacle(self, cursor: Cursor | None, position: int) -> ResyncReason | None:
        """Why nothing can be continued from a cursor; None when it can."""
        if cursor is None:
            return "malformed"
        if cursor.epoch != self._log.epoch:
            return "other-database"
        if cursor.seq > position:
            return "unknown"
        return "too-old" if cursor.seq < self._log.trimmed else None

    def _from_memory(self, greeting: bytes, directory: str | None, envelope: Envelope, after: int) -> Beginning:
        messages = [greeting]
        for frame in self._ring.after(after, directory):
            if data := envelope(frame):
                messages.append(sse(data, self._cursor(frame.seq)))
            if frame.ends and directory is not None:
                return Beginning(b"".join(messages), ended=True)
        return Beginning(b"".join(messages))

    def _replayed(self, event: LoggedEvent, gap: Gap, envelope: Envelope) -> bytes:
        """One event of the log. Its cursor is left out where resuming from it would take memory for complete."""
        scope = scope_json(event.scope)
        data = envelope(Frame(event.seq, event.id, event.type, event.properties, scope, event.session_id))
        return sse(data, self._cursor(event.seq) if event.seq < gap.safe else None) if data else b""

    def _local(self, event: Event, envelope: Envelope, cursor: Cursor | None) -> bytes:
        data = envelope(local_frame(event, self._ids.event()))
        return sse(data, None if cursor is None else str(cursor).encode()) if data else b""

    def _cursor(self, seq: int) -> bytes:
        return str(Cursor(self._log.epoch, seq)).encode()
