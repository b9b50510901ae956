"""Large reads, away from the event loop."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from opencode.storage.connection import connect_reader
from opencode.storage.errors import StorageClosedError

THREADS: Final = 2

Rows = list[tuple[Any, ...]]


class Readers:
    """A few threads, each with a read-only connection that is opened when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database-read")
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    async def read(self, sql: str, parameters: Sequence[object]) -> Rows:
        """All rows of one query, from one snapshot of the database."""
        if self._closed:
            raise StorageClosedError
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, sql, parameters)

    def close(self) -> None:
        """Wait for reads under way and close the connections; blocks."""
        self._closed = True
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()

    def _read(self, sql: str, parameters: Sequence[object]) -> Rows:
        # There are no more connections than threads, and list operations are atomic.
        connection = self._idle.pop() if self._idle else connect_reader(self._path)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            self._idle.append(connection)
