"""What clients are asked over the event streams: each ask is a row until it is settled, also across restarts."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import SessionID
from opencode.core.rejection import Rejected
from opencode.core.wire import decode, encode
from opencode.event.bus import EventPublisher
from opencode.event.schema import Event
from opencode.event.unattended import AskDeadlineChanged, Request, Unattended
from opencode.storage.database import Database, Transaction
from opencode.storage.errors import StorageError

RETRY_SECONDS = 2.0
"""How soon it is tried again to store the end of an ask."""


R = TypeVar("R", bound=Request)
V = TypeVar("V")
"""What the reply to a request gives to who asked."""


OrphanFailed = Callable[[SessionID, Rejected], Awaitable[None]]
"""Told of asks of an earlier process that the policy for unattended servers has ended."""


async def ignore(*_: object) -> None:
    """An ``OrphanFailed`` for servers that never settle asks by themselves."""


@dataclass(slots=True, eq=False)
class Ask(Generic[R, V]):
    """A request that waits. An orphan was found at start-up: the run that asked is gone, and nobody waits for it.

    ``deadline_ms``: when it is settled without a reply; None while somebody could answer, or when it may wait on.
    """

    request: R
    since_ms: int
    is_orphan: bool = False
    is_settling: bool = False
    deadline_ms: int | None = None
    settled: anyio.Event = field(default_factory=anyio.Event)
    refusal: Rejected | None = None
    reply: V | None = None


@dataclass(frozen=True, slots=True)
class Settlement(Generic[R, V]):
    """What becomes of one ask: a reply, or a refusal; and the event that tells of it."""

    ask: Ask[R, V]
    event: Event
    refusal: Rejected | None = None
    reply: V | None = None


@dataclass(frozen=True, slots=True)
class AskKind(Generic[R]):
    """One kind of request: its table, its record, and the events that tell of its begin and of its dismissal."""

    table: str
    record: type[R]
    asked: Callable[[R], Event]
    dismissed: Callable[[R], Event]


class Asks(Generic[R, V]):
    """The asks of one kind in one directory.

    Their number is bounded by the tool calls that run. Without a policy for unattended servers they wait without
    limit; otherwise ``expire`` has to run.
    """

    def __init__(
        self,
        database: Database,
        events: EventPublisher,
        clock: Clock,
        directory: str,
        kind: AskKind[R],
        unattended: Unattended,
    ) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._directory = directory
        self._kind = kind
        self._unattended = unattended
        self._pending: dict[str, Ask[R, V]] = {}
        self._moved = anyio.Event()

    async def restore(self) -> None:
        """Offer the asks of an earlier process again; to be called once, before any other ask."""
        rows = self._database.read(
            f"SELECT record, created_ms FROM {self._kind.table} WHERE directory = ? ORDER BY created_ms, id",
            (self._directory,),
        )
        for record, created_ms in rows:
            request = decode(record, self._kind.record)
            self._pending[request.id] = Ask(request, created_ms, is_orphan=True)
        self._review()

    def waiting(self, session_id: SessionID | None = None) -> list[Ask[R, V]]:
        """What waits, oldest first; of one session, or of all."""
        return [
            ask
            for ask in self._pending.values()
            if not ask.is_settling and session_id in (None, ask.request.session_id)
        ]

    def get(self, request_id: str) -> Ask[R, V] | None:
        """The ask, while it waits."""
        ask = self._pending.get(request_id)
        return None if ask is None or ask.is_settling else ask

    async def wait(self, request: R, *, replaces: Sequence[Settlement[R, V]] = ()) -> V:
        """Ask, and wait for the reply. Settles what the request takes the place of. Raises the refusal.

        Cancelled, the request is dismissed.
        """
        ask: Ask[R, V] = Ask(request, self._clock.now_ms())
        await self._store(replaces, added=ask)
        try:
            await ask.settled.wait()
        except BaseException:
            if not ask.is_settling:
                await self.settle([self.dismissal(ask)])
            raise
        if ask.refusal is not None:
            raise ask.refusal
        assert ask.reply is not None
        return ask.reply

    def dismissal(self, ask: Ask[R, V]) -> Settlement[R, V]:
        """The end of an ask that nobody waits for any more."""
        return Settlement(ask, self._kind.dismissed(ask.request))

    async def settle(
        self, settlements: Sequence[Settlement[R, V]], keep: Callable[[Transaction], None] | None = None
    ) -> None:
        """End asks, announce it and keep what ``keep`` writes, in one transaction; then let those go on who wait."""
        if not settlements:
            return
        await self._store(settlements, keep=keep)
        for settlement in settlements:
            settlement.ask.refusal, settlement.ask.reply = settlement.refusal, settlement.reply
            settlement.ask.settled.set()

    async def expire(self, give_up: Callable[[Sequence[Ask[R, V]]], Awaitable[None]]) -> None:
        """Hand over the asks whose deadline has passed. Runs until cancelled; at once over when asks may wait on."""
        if not self._unattended.has_deadline:
            return
        stop = self._events.on_audience(self._review)
        try:
            self._review()
            while True:
                moved, now = self._moved, self._clock.now_ms()
                deadlines = {ask: ask.deadline_ms for ask in self.waiting() if ask.deadline_ms is not None}
                pause = (min(deadlines.values()) - now) / 1000 if deadlines else None
                if due := [ask for ask, deadline in deadlines.items() if deadline <= now]:
                    try:
                        await give_up(due)
                        continue
                    except StorageError:
                        pause = RETRY_SECONDS
                with anyio.move_on_after(pause):
                    await moved.wait()
        finally:
            stop()

    def _review(self) -> None:
        """Start the clock of every ask that nobody can answer, and stop the others."""
        if not self._unattended.has_deadline:
            return
        attended, deadline_ms = self._events.has_audience, self._unattended.deadline_ms(self._clock.now_ms())
        for ask in self.waiting():
            if attended == (ask.deadline_ms is None):
                continue
            ask.deadline_ms = None if attended else deadline_ms
            self._events.publish(AskDeadlineChanged.of(ask.request, ask.deadline_ms))
        self._moved.set()
        self._moved = anyio.Event()

    async def _store(
        self,
        settlements: Sequence[Settlement[R, V]],
        *,
        added: Ask[R, V] | None = None,
        keep: Callable[[Transaction], None] | None = None,
    ) -> None:
        """All of it or nothing, and not interruptible.

        Who asks knows afterwards that the row is there, and a caller that goes away leaves no decision half made.
        """

        def change(tx: Transaction) -> None:
            self._remove(tx, (settlement.ask for settlement in settlements))
            self._events.append(tx, *(settlement.event for settlement in settlements))
            if added is not None:
                self._add(tx, added)
                # Offered only now: an ask that somebody has seen is there after a crash, too.
                tx.after_commit(lambda: self._pending.update({added.request.id: added}))
                self._events.append(tx, self._kind.asked(added.request))
                tx.after_commit(self._review)
            if keep is not None:
                keep(tx)

        for settlement in settlements:
            settlement.ask.is_settling = True
        try:
            with anyio.CancelScope(shield=True):
                await self._database.write(change)
        except BaseException:
            for settlement in settlements:
                settlement.ask.is_settling = False
            raise
        for settlement in settlements:
            self._pending.pop(settlement.ask.request.id, None)

    def _add(self, tx: Transaction, ask: Ask[R, V]) -> None:
        request = ask.request
        tx.execute(
            f"INSERT INTO {self._kind.table} (id, session_id, directory, created_ms, record) VALUES (?, ?, ?, ?, ?)",
            (request.id, request.session_id, self._directory, ask.since_ms, encode(request)),
        )

    def _remove(self, tx: Transaction, asks: Iterable[Ask[R, V]]) -> None:
        tx.executemany(f"DELETE FROM {self._kind.table} WHERE id = ?", [(ask.request.id,) for ask in asks])
