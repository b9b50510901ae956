"""The database of one server: one connection for point reads and writes on the event loop, others for large reads."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from opencode.core.clock import Clock, SystemClock
from opencode.storage.checkpoint import Checkpointer
from opencode.storage.connection import WRITER_CACHE_KIB, Durability, connect, prepare_writer
from opencode.storage.errors import storage_error
from opencode.storage.migrate import known_migrations, migrate
from opencode.storage.ownership import Ownership, own
from opencode.storage.readers import Readers
from opencode.storage.transaction import Transaction
from opencode.storage.trouble import StorageTrouble
from opencode.storage.writer import Writer

__all__ = ["Database", "Rows", "Transaction", "open_database"]

T = TypeVar("T")
Rows = list[tuple[Any, ...]]


class Database:
    """Reads and writes the records of one server. Belongs to the event loop."""

    def __init__(self, path: Path, connection: sqlite3.Connection, ownership: Ownership) -> None:
        self.path = path
        self.ownership = ownership
        self._connection = connection
        self._writer = Writer(connection, str(path), on_commit=lambda: self._checkpointer.committed())
        self._checkpointer = Checkpointer(path, hold=self._writer.hold, release=self._writer.release)
        self._readers = Readers(path)

    async def write(self, change: Callable[[Transaction], T]) -> T:
        """Run a change and return what it returned, once it is committed together with all else that is queued.

        ``change`` is a plain function; raising undoes it alone. Cancelling the caller does not undo it. Raises
        ``StorageError`` when the database cannot store it: then nothing of it is stored.
        """
        return await self._writer.write(change)

    @property
    def trouble(self) -> StorageTrouble | None:
        """That changes are refused at present; None while all is well."""
        return self._writer.trouble

    def read(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """The rows of a small, indexed query, here and now. Raises ``StorageError`` when the file cannot be read."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise storage_error(error, self.path) or error from error

    async def read_large(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """The rows of an indexed query that has many, letting others run in between; from one snapshot."""
        try:
            return await self._readers.read_large(sql, parameters)
        except sqlite3.Error as error:
            raise storage_error(error, self.path) or error from error

    async def read_in_thread(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """The rows of a query that takes long to find a few. For many rows :meth:`read_large` is faster."""
        try:
            return await self._readers.read_in_thread(sql, parameters)
        except sqlite3.Error as error:
            raise storage_error(error, self.path) or error from error

    async def close(self) -> None:
        """Commit what is queued, refuse everything else, and put all of it into the database file."""
        with anyio.CancelScope(shield=True):
            self._readers.close()
            self._checkpointer.stop()
            await anyio.to_thread.run_sync(self._checkpointer.join)
            self._writer.close()
            await anyio.to_thread.run_sync(self._connection.close)


@asynccontextmanager
async def open_database(
    path: Path, *, durability: Durability = "normal", clock: Clock | None = None
) -> AsyncIterator[Database]:
    """Own the data directory, bring the database to the current schema and open it; made when it is missing.

    Raises ``DataDirectoryInUse``, ``DatabaseCorrupt``, ``DatabaseTooNew``, ``NotOurDatabase``.
    """
    with own(path.with_suffix(".lock"), now_ms=(clock or SystemClock()).now_ms()) as ownership:
        connection = await anyio.to_thread.run_sync(_open, path, durability)
        database = Database(path, connection, ownership)
        try:
            yield database
        finally:
            await database.close()


def _open(path: Path, durability: Durability) -> sqlite3.Connection:
    """Blocks. Only this user may read the file."""
    path.touch(mode=0o600)
    try:
        with ExitStack() as stack:
            connection = connect(path, cache_kib=WRITER_CACHE_KIB)
            stack.callback(connection.close)
            migrate(connection, path, known_migrations())
            prepare_writer(connection, durability)
            stack.pop_all()
    except sqlite3.Error as error:
        raise storage_error(error, path) or error from error
    return connection
