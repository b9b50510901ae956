"""Finds and ends every descendant of a process, also those that left its group, its session or their parent."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

if TYPE_CHECKING:
    import psutil

MARK = "OPENCODE_PROCESS"
"""Environment variable that all children inherit; a nested server appends its own mark after a slash."""
KILL_SECONDS = 0.7
"""How long SIGKILL is repeated on whatever is still found."""
_POLL_SECONDS = 0.02


def group_exists(pid: int) -> bool:
    """Whether the process group still has a member (a zombie counts)."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def end_tree(pid: int, mark: str, grace_seconds: float) -> None:
    """SIGTERM to the group of ``pid`` and all its descendants, then SIGKILL after the grace until none is left.

    Descendants are found by parent, by group, by session and by ``mark`` in their environment, on Linux and macOS
    alike; a process that escapes all four (twice forked, ``setsid``, ``env -i``, before the first look) gets
    away. Bounded in time; the caller shields it from cancellation.
    """
    found = await run_sync(_living, pid, mark)
    _signal_group(pid, signal.SIGTERM)
    _signal(found, signal.SIGTERM)
    with anyio.move_on_after(grace_seconds):
        await _gone(found)
    with anyio.move_on_after(KILL_SECONDS):
        while left := _alive([*found, *await run_sync(_living, pid, mark)]):
            _signal_group(pid, signal.SIGKILL)
            _signal(left, signal.SIGKILL)
            await _gone(left)
            found = left
    _reap(found, pid)


async def end_marked(mark: str, grace_seconds: float) -> None:
    """The same for processes that are only known by their mark."""
    if await is_carried(mark):
        await end_tree(0, mark, grace_seconds)


async def is_carried(mark: str) -> bool:
    """Whether a process with the mark lives."""
    return bool(await run_sync(_living, 0, mark))


async def _gone(processes: list["psutil.Process"]) -> None:
    while _alive(processes):  # noqa: ASYNC110 (other programs' children cannot be waited for)
        await anyio.sleep(_POLL_SECONDS)


def _alive(processes: Iterable["psutil.Process"]) -> list["psutil.Process"]:
    return [process for process in processes if _is_alive(process)]


def _living(pid: int, mark: str) -> list["psutil.Process"]:
    """The process, if it lives, and its descendants; never this process itself."""
    import psutil  # slow to import, and needed only when something must be stopped

    found: dict[int, psutil.Process] = {}
    if pid:
        with suppress(psutil.Error):
            root = psutil.Process(pid)
            found = {process.pid: process for process in (root, *root.children(recursive=True))}
    for process in psutil.process_iter():
        if process.pid not in found and _belongs(process, pid, mark):
            found[process.pid] = process
    found.pop(os.getpid(), None)
    return _alive(found.values())


def _belongs(process: "psutil.Process", pid: int, mark: str) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        if pid and pid in (os.getpgid(process.pid), os.getsid(process.pid)):
            return True
    return carries(process, mark)


def carries(process: "psutil.Process", mark: str) -> bool:
    """Whether the mark is one of those in the environment the process was started with; False when it is hidden."""
    import psutil

    try:
        return mark in process.environ().get(MARK, "").split("/")
    except (psutil.Error, OSError):
        return False


def _is_alive(process: "psutil.Process") -> bool:
    """False for a zombie too, and for another process that got the same number."""
    import psutil

    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _reap(processes: Iterable["psutil.Process"], pid: int) -> None:
    """Collect orphans that became our own children, as happens to process 1 of a container."""
    for process in processes:
        if process.pid != pid:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def _signal(processes: Iterable["psutil.Process"], number: signal.Signals) -> None:
    import psutil

    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    if pid:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
