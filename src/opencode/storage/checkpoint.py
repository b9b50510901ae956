"""Moving committed pages from the write-ahead log into the database file, away from the event loop."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from opencode.core.log import get_logger
from opencode.storage.connection import connect

INTERVAL_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.25
LOOK_EVERY: Final = 16
LARGE_BYTES: Final = 16 * 1024 * 1024
CUT_AT: Final = 2
"""A log of so many times ``LARGE_BYTES`` is cut short; a smaller one is written over, which costs a quarter less."""

log = get_logger(__name__)


class Checkpointer:
    """Runs checkpoints in a thread, with a connection of its own.

    After a commit one runs within ``INTERVAL_SECONDS``, which is also how long a commit may be in the hands of
    the operating system only; at once when the log has grown large. Then the log begins anew, for which the writer
    is held for the moment it takes: changes wait in their queue, the event loop does not.
    """

    def __init__(self, path: Path, *, hold: Callable[[], None], release: Callable[[], None]) -> None:
        self._path = path
        self._wal = f"{path}-wal"
        self._hold = hold
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-checkpoint")
        self._connection: sqlite3.Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._again = False
        self._closed = False
        self._until_look = LOOK_EVERY
        self._written_over = 0
        self._emptied_at = -PAUSE_SECONDS

    def committed(self) -> None:
        """Something was committed: see to it that a checkpoint follows."""
        if self._closed:
            return
        if self._running:
            self._again = True
            return
        if self._timer is None:
            self._timer = self._loop.call_later(INTERVAL_SECONDS, self._start, "PASSIVE")
        self._until_look -= 1
        if self._until_look <= 0:
            self._until_look = LOOK_EVERY
            if self._large_size() and self._loop.time() - self._emptied_at >= PAUSE_SECONDS:
                self._start("PASSIVE")

    def stop(self) -> None:
        """Start no more. Closing the writer's connection does the last one."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def join(self) -> None:
        """Wait for one that is under way; blocks."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    def _large_size(self) -> int:
        """The size of the log when it is large, else 0. One that is written over is when it grows again."""
        try:
            size = os.stat(self._wal).st_size  # noqa: PTH116 (several times faster)
        except FileNotFoundError:
            return 0
        return size if size >= LARGE_BYTES and size > self._written_over else 0

    def _start(self, mode: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._running = True
        work = self._loop.run_in_executor(self._thread, self._checkpoint, mode)
        work.add_done_callback(lambda _: self._passive_done() if mode == "PASSIVE" else self._emptied())

    def _passive_done(self) -> None:
        size = self._large_size()
        if self._closed or not size:
            self._finished()
            return
        self._hold()
        self._emptied_at = self._loop.time()
        is_cut = size >= CUT_AT * LARGE_BYTES
        self._written_over = 0 if is_cut else size
        self._start("TRUNCATE" if is_cut else "RESTART")

    def _emptied(self) -> None:
        self._release()
        self._finished()

    def _finished(self) -> None:
        self._running = False
        if self._again:
            self._again = False
            self.committed()

    def _checkpoint(self, mode: str) -> None:
        """In the thread: one checkpoint. A failure is logged; the next one makes up for it."""
        try:
            if self._connection is None:
                self._connection = connect(self._path)
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            log.exception("checkpoint failed", mode=mode)
