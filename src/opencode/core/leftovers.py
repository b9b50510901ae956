"""Ends what a killed server left running: process groups of this user whose environment carries its mark."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from opencode.core.process_tree import KILL_SECONDS, carries, group_exists

if TYPE_CHECKING:
    import psutil

GRACE_SECONDS = 0.2
"""Time between SIGTERM and SIGKILL."""
_POLL_SECONDS = 0.02


async def end_leftovers(mark: str) -> int:
    """End every process group with a member that carries the mark; how many there were.

    Spared: other users' processes, and the groups of this process and of its ancestors, because a server may
    have been started by a command that another one left behind. Bounded in time.
    """
    found = await run_sync(_groups, mark)
    if not found:
        return 0
    _signal(found, signal.SIGTERM)
    with anyio.move_on_after(GRACE_SECONDS):
        await _gone(found)
    with anyio.move_on_after(KILL_SECONDS):
        while left := _existing(found) | await run_sync(_groups, mark):
            _signal(left, signal.SIGKILL)
            await anyio.sleep(_POLL_SECONDS)
    return len(found)


def _groups(mark: str) -> set[int]:
    import psutil  # slow to import, and needed only after a crash

    marked = {process.pid for process in psutil.process_iter() if _is_ours(process) and carries(process, mark)}
    here = psutil.Process()
    spared = {here.pid, *(process.pid for process in here.parents())}
    return _groups_of(marked) - _groups_of(spared)


def _is_ours(process: "psutil.Process") -> bool:
    import psutil

    try:
        return bool(process.uids().real == os.getuid() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _groups_of(pids: Iterable[int]) -> set[int]:
    groups = set()
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            groups.add(os.getpgid(pid))
    return groups


def _existing(groups: Iterable[int]) -> set[int]:
    return {group for group in groups if group_exists(group)}


async def _gone(groups: set[int]) -> None:
    while _existing(groups):  # noqa: ASYNC110 (they are not our children)
        await anyio.sleep(_POLL_SECONDS)


def _signal(groups: Iterable[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
