"""The one writer: everything queued in one turn of the event loop becomes one commit."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from opencode.core.log import get_logger
from opencode.storage.errors import StorageClosedError, StorageError, StorageIOError, storage_error
from opencode.storage.transaction import Transaction
from opencode.storage.trouble import StorageTrouble

T = TypeVar("T")

MAX_PENDING: Final = 4096
BUSY_RETRY_SECONDS: Final = 0.02
BUSY_LIMIT_SECONDS: Final = 5.0

log = get_logger(__name__)


class _TransactionLost(Exception):
    """SQLite undid the whole transaction, as it does when the disk is full; the cause says why."""


class _Job:
    """One queued change, what it gave, and who waits for it."""

    __slots__ = ("change", "error", "future", "result", "transaction")

    def __init__(self, change: Callable[[Transaction], Any], transaction: Transaction, future: asyncio.Future[Any]):
        self.change = change
        self.transaction = transaction
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        """Run the callbacks, then tell the caller unless it has gone."""
        for callback in self.transaction.finish(committed=self.error is None):
            try:
                callback()
            except Exception:
                log.exception("a callback after a commit failed")
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Queues changes and commits them inline on the event loop, a group at a time.

    Each change runs in a savepoint of its own: one that raises is undone alone. A commit does not wait for the
    disk (see :mod:`opencode.storage.connection`), so a thread would cost more than the work it takes over.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, *, on_commit: Callable[[], None]) -> None:
        self._connection = connection
        self._path = path
        self._on_commit = on_commit
        self._loop = asyncio.get_running_loop()
        self._jobs: list[_Job] = []
        self._room: list[asyncio.Future[None]] = []
        self._scheduled = False
        self._held = False
        self._closed = False
        self._busy_since: float | None = None
        self.trouble: StorageTrouble | None = None
        """That changes are refused, since the last one that was not."""

    async def write(self, change: Callable[[Transaction], T]) -> T:
        """Queue a change; returns what it returned, once committed.

        A caller that is cancelled meanwhile does not undo the change: it is stored whole or, when it fails,
        not at all. Raises what the change raises, and ``StorageError`` when the commit fails.
        """
        while len(self._jobs) >= MAX_PENDING and not self._closed:
            await self._wait_for_room()
        if self._closed:
            raise StorageClosedError
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.append(_Job(change, Transaction(self._connection), future))
        if not self._scheduled:
            self._schedule()
        return await future

    def hold(self) -> None:
        """Commit nothing until :meth:`release`; changes wait in the queue."""
        self._held = True

    def release(self) -> None:
        """Commit again."""
        self._held = False
        if self._jobs and not self._scheduled:
            self._schedule()

    def close(self) -> None:
        """Commit what is queued and refuse everything after it."""
        self._closed = True
        self._held = False
        if self._jobs:
            self._flush()
        self._fail_all(StorageClosedError())
        self._make_room()

    async def _wait_for_room(self) -> None:
        place: asyncio.Future[None] = self._loop.create_future()
        self._room.append(place)
        await place

    def _make_room(self) -> None:
        places, self._room = self._room, []
        for place in places:
            if not place.done():
                place.set_result(None)

    def _schedule(self) -> None:
        self._scheduled = True
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Commit everything queued; then callbacks and callers, in the order the changes came."""
        self._scheduled = False
        if self._held or not self._jobs:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._refused(error)
            return
        self._busy_since = None
        jobs, self._jobs = self._jobs, []
        try:
            if len(jobs) == 1:
                self._run_alone(jobs[0])
            else:
                self._run(jobs)
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._roll_back()
            _fail(jobs, self._typed(error.__cause__ if isinstance(error, _TransactionLost) else error))
        except BaseException:
            self._roll_back()
            raise
        self._note(jobs)
        for job in jobs:
            job.settle()
        self._make_room()
        self._on_commit()

    def _run(self, jobs: list[_Job]) -> None:
        """Run the changes, each in a savepoint of its own. Raises when the whole transaction is lost."""
        for job in jobs:
            self._connection.execute("SAVEPOINT change")
            try:
                job.result = job.change(job.transaction)
            except Exception as error:
                if not self._connection.in_transaction:
                    raise _TransactionLost from error
                self._connection.execute("ROLLBACK TO change")
                job.error = self._typed(error)
            self._connection.execute("RELEASE change")

    def _run_alone(self, job: _Job) -> None:
        """Run the only change: a savepoint would say what the transaction does. Undone when the change raises."""
        try:
            job.result = job.change(job.transaction)
        except Exception as error:  # noqa: BLE001 - whoever asked for the change gets it
            job.error = self._typed(error)
            self._roll_back()

    def _typed(self, error: BaseException | None) -> Exception:
        if isinstance(error, sqlite3.Error):
            return storage_error(error, self._path) or error
        return error if isinstance(error, Exception) else StorageIOError(f"Writing {self._path} failed.")

    def _roll_back(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:  # those who wait must hear of the failure that led here all the same
            log.exception("rollback failed")

    def _refused(self, error: sqlite3.Error) -> None:
        """No transaction could begin: wait while another program holds the lock, else fail what is queued."""
        now = self._loop.time()
        self._busy_since = self._busy_since or now
        busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        if busy and not self._closed and now - self._busy_since < BUSY_LIMIT_SECONDS:
            self._scheduled = True
            self._loop.call_later(BUSY_RETRY_SECONDS, self._flush)
            return
        self._busy_since = None
        self._fail_all(self._typed(error))
        self._make_room()

    def _fail_all(self, error: Exception) -> None:
        jobs, self._jobs = self._jobs, []
        _fail(jobs, error)
        self._note(jobs)
        for job in jobs:
            job.settle()

    def _note(self, jobs: list[_Job]) -> None:
        error = next((job.error for job in jobs if isinstance(job.error, StorageError)), None)
        if error is None:
            self.trouble = None
        elif self.trouble is None or type(error) is not type(self.trouble.error):
            self.trouble = StorageTrouble(error, time.time_ns() // 1_000_000)


def _fail(jobs: list[_Job], error: Exception) -> None:
    """Give every change that had not failed by itself the error of the whole commit."""
    for job in jobs:
        if job.error is None:
            job.error = error
