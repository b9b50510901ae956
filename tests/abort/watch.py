"""Looks for processes that should be gone."""

import time
from pathlib import Path

import anyio
import psutil

POLL_SECONDS = 0.005


class Processes:
    """The processes that write their ids to a file, and those that work below a directory."""

    def __init__(self, pids: Path, directory: Path) -> None:
        self.file = pids
        self._directory = str(directory)

    async def started(self, count: int) -> None:
        """Wait until so many have written their ids."""
        while len(self._told()) < count:  # noqa: ASYNC110 (other programs' writes cannot be waited for)
            await anyio.sleep(POLL_SECONDS)

    async def gone(self, limit_seconds: float) -> tuple[float, list[str]]:
        """Wait until none is left; how long that took, and what was left at the limit."""
        began = time.perf_counter()
        while (left := self._alive()) and time.perf_counter() - began < limit_seconds:  # noqa: ASYNC110
            await anyio.sleep(POLL_SECONDS)
        return time.perf_counter() - began, left

    def kill(self) -> None:
        """End what is left, so that a failed test leaves nothing behind."""
        for process in self._found():
            process.kill()

    def _told(self) -> list[int]:
        text = self.file.read_text() if self.file.exists() else ""
        return [int(line) for line in text.splitlines() if line.strip()]

    def _alive(self) -> list[str]:
        return [f"{process.pid} {' '.join(process.cmdline())[:80]}" for process in self._found()]

    def _found(self) -> list[psutil.Process]:
        told = set(self._told())
        return [each for each in psutil.process_iter() if (each.pid in told or self._is_below(each)) and _runs(each)]

    def _is_below(self, process: psutil.Process) -> bool:
        try:
            return process.cwd().startswith(self._directory)
        except (psutil.Error, OSError):
            return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
