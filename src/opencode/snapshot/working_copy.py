"""What the files of a directory have become since the commit that is checked out."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from opencode.core.log import get_logger
from opencode.snapshot.errors import SnapshotFailed, SnapshotNotFound
from opencode.snapshot.schema import FileChange
from opencode.snapshot.service import SnapshotService

log = get_logger("snapshot")


class WorkingCopy:
    """Compares a snapshot with the commit: no filter or driver runs that the repository names for its files.

    ``committed`` gives the tree of the commit, if there is one.
    """

    def __init__(
        self,
        snapshots: SnapshotService,
        directory: Path,
        worktree: Path,
        committed: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._snapshots = snapshots
        self._directory = directory
        self._worktree = worktree
        self._committed = committed

    async def changes(self) -> list[FileChange]:
        """The files of the directory that differ, new ones included, ignored ones not; paths are relative to it.

        Sorted by path. None where there is no repository, or no snapshot can be taken. Source: operation
        ``file.status``.
        """
        before = await self._committed()
        now = None if before is None else await self._snapshots.track()
        if before is None or now is None:
            return []
        try:
            found = await self._snapshots.changed(before, now)
        except (SnapshotNotFound, SnapshotFailed) as error:
            log.warning("cannot compare with the commit", directory=str(self._directory), error=error)
            return []
        paths = [(os.path.relpath(self._worktree / change.file, self._directory), change) for change in found]
        return [replace(change, file=path) for path, change in paths if not path.startswith("..")]
