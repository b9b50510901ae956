"""Reads that are too large to be done in one go on the event loop.

There are two kinds. Many rows, found by an index: fetching them in a thread would hand the interpreter lock back and
forth for every row, which on a busy loop takes a hundred times longer than the work, so they are fetched on the loop, a
slice at a time. Few rows that take long to find: those are a matter for a thread.
"""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import anyio.to_thread

from opencode.storage.connection import connect_reader
from opencode.storage.errors import StorageClosedError

CONNECTIONS: Final = 2
"""Two, so that a very long session does not hold up the others. Each keeps a cache in memory."""

SLICE_ROWS: Final = 256
"""A fraction of a millisecond."""

Rows = list[tuple[Any, ...]]


class Readers:
    """At most ``CONNECTIONS`` read-only connections, opened when needed. Each query sees one snapshot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._free = anyio.Semaphore(CONNECTIONS, fast_acquire=True)
        self._threads = anyio.CapacityLimiter(CONNECTIONS)
        self._closed = False

    async def read_large(self, sql: str, parameters: Sequence[object]) -> Rows:
        """All rows of a query that finds them quickly."""
        async with self._connection() as connection:
            rows: Rows = []
            with closing(connection.execute(sql, parameters)) as cursor:
                while slice_ := cursor.fetchmany(SLICE_ROWS):
                    rows += slice_
                    if len(slice_) < SLICE_ROWS:
                        break
                    await anyio.lowlevel.checkpoint()
            return rows

    async def read_in_thread(self, sql: str, parameters: Sequence[object]) -> Rows:
        """The few rows of a query that looks at many."""
        async with self._connection() as connection:
            return await anyio.to_thread.run_sync(
                lambda: connection.execute(sql, parameters).fetchall(), limiter=self._threads
            )

    def close(self) -> None:
        """Read no more. A read under way closes its own connection."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[sqlite3.Connection]:
        async with self._free:
            if self._closed:
                raise StorageClosedError
            connection = self._idle.pop() if self._idle else connect_reader(self._path)
            try:
                yield connection
            finally:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)
