"""The durable log of events: a bounded buffer from which a client that was away gets what it missed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from itertools import takewhile
from typing import Any, Final

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import EventID, ProjectID, SessionID
from opencode.core.log import get_logger
from opencode.event.schema import EventScope
from opencode.storage.database import Database, Transaction
from opencode.storage.errors import StorageError

MAX_AGE_MS: Final = 24 * 60 * 60 * 1000
MAX_BYTES: Final = 64 * 1024 * 1024
RUN_NUMBERS: Final = 1 << 40
"""Sequence numbers that one run of the server takes for itself; the next run starts after them."""
TRIM_EVERY: Final = 256
TRIM_STEP: Final = 1024
TRIM_INTERVAL_SECONDS: Final = 3600
REPLAY_CHUNK: Final = 200
_ROW_BYTES: Final = 150
_INSERT: Final = """
INSERT INTO event (seq, id, directory, project, session_id, type, created_ms, log_bytes, properties)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

NewEvent = tuple[int, EventID, str | None, str, bytes]
"""Number, id, session, type and properties of an event that is to be logged."""

log = get_logger(__name__)


class LoggedEvent:
    """One row of the log; ``properties`` is JSON."""

    __slots__ = ("id", "properties", "scope", "seq", "session_id", "type")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.seq: int = row[0]
        self.id = EventID(row[1])
        self.scope = EventScope(directory=row[2], project=None if row[3] is None else ProjectID(row[3]))
        self.session_id: SessionID | None = row[4]
        self.type: str = row[5]
        self.properties: bytes = row[6]


class CursorExpired(Exception):
    """Events after the position have been removed from the log."""


class EventLog:
    """Numbers events and keeps the durable ones for a day, or until they fill ``max_bytes``.

    ``epoch`` names the database. ``trimmed`` is the number of the last event that was removed.
    """

    def __init__(
        self, database: Database, clock: Clock, *, epoch: str, first: int, trimmed: int, logged_bytes: int,
        max_age_ms: int, max_bytes: int,
    ) -> None:  # fmt: skip
        self.epoch = epoch
        self.trimmed = trimmed
        self._database = database
        self._clock = clock
        self._last = first - 1
        self._logged_bytes = logged_bytes
        self._max_age_ms = max_age_ms
        self._max_bytes = max_bytes
        self._until_trim = TRIM_EVERY

    @property
    def last(self) -> int:
        """The highest number given out."""
        return self._last

    def next_seq(self) -> int:
        """The number of the next event; never given out again, not by a later run either."""
        self._last += 1
        return self._last

    def append(self, tx: Transaction, scope: EventScope, created_ms: int, events: Sequence[NewEvent]) -> None:
        """Write the events of one scope, as part of the change they tell of."""
        rows = []
        for seq, id, session_id, type, properties in events:
            self._logged_bytes += len(properties) + _ROW_BYTES
            rows.append(
                (seq, id, scope.directory, scope.project, session_id, type, created_ms, self._logged_bytes, properties)
            )
        tx.executemany(_INSERT, rows)
        self._until_trim -= len(events)
        if self._until_trim <= 0:
            self._until_trim = TRIM_EVERY
            self._trim(tx)

    async def trim(self) -> None:
        """Remove everything that is too old or too much, a little at a time. To be called now and then."""
        while await self._database.write(self._trim) == TRIM_STEP:
            pass

    async def keep_trimmed(self) -> None:
        """Trim every hour, for logs that are too quiet to trim themselves. Runs until cancelled."""
        while True:
            await anyio.sleep(TRIM_INTERVAL_SECONDS)
            try:
                await self.trim()
            except StorageError as error:
                log.warning("the event log could not be trimmed", error=error)

    async def replay(self, after: int, until: int, directory: str | None) -> AsyncIterator[list[LoggedEvent]]:
        """The events in ``(after, until]`` of one directory, or of all, in order and in chunks.

        Raises ``CursorExpired`` when some of them have been removed, also while it runs.
        """
        of_directory = "" if directory is None else " AND directory = ?"
        while True:
            rows = await self._database.read_large(
                "SELECT seq, id, directory, project, session_id, type, properties FROM event"
                f" WHERE seq > ? AND seq <= ?{of_directory} ORDER BY seq LIMIT {REPLAY_CHUNK}",
                (after, until) if directory is None else (after, until, directory),
            )
            if after < self.trimmed:
                raise CursorExpired
            if rows:
                yield [LoggedEvent(row) for row in rows]
                after = rows[-1][0]
            if len(rows) < REPLAY_CHUNK:
                return

    def _trim(self, tx: Transaction) -> int:
        """Remove at most ``TRIM_STEP`` of the oldest events that are beyond the bounds; how many."""
        too_old = self._clock.now_ms() - self._max_age_ms
        too_much = self._logged_bytes - self._max_bytes
        oldest = tx.execute("SELECT seq, created_ms, log_bytes FROM event ORDER BY seq LIMIT ?", (TRIM_STEP,))
        with closing(oldest):  # most of the time it is read no further than its first row
            beyond = list(takewhile(lambda row: row[1] < too_old or row[2] <= too_much, oldest))
        if not beyond:
            return 0
        last = beyond[-1][0]
        tx.execute("DELETE FROM event WHERE seq <= ?", (last,))
        tx.execute("UPDATE meta SET value = ? WHERE key = 'event.trimmed'", (last,))
        tx.after_commit(lambda: self._set_trimmed(last))
        return len(beyond)

    def _set_trimmed(self, seq: int) -> None:
        self.trimmed = max(self.trimmed, seq)


async def open_event_log(
    database: Database, clock: Clock, *, max_age_ms: int = MAX_AGE_MS, max_bytes: int = MAX_BYTES
) -> EventLog:
    """The log in a database, with a range of sequence numbers that no other run of the server uses."""
    epoch, first, trimmed = await database.write(_begin_run)
    newest = database.read("SELECT log_bytes FROM event ORDER BY seq DESC LIMIT 1")
    return EventLog(
        database, clock, epoch=epoch, first=first, trimmed=trimmed, logged_bytes=newest[0][0] if newest else 0,
        max_age_ms=max_age_ms, max_bytes=max_bytes,
    )  # fmt: skip


def _begin_run(tx: Transaction) -> tuple[str, int, int]:
    values = dict(tx.execute("SELECT key, value FROM meta WHERE key LIKE 'event.%'").fetchall())
    first: int = values["event.next"]
    tx.execute("UPDATE meta SET value = ? WHERE key = 'event.next'", (first + RUN_NUMBERS,))
    return values["event.epoch"], first, values["event.trimmed"]
