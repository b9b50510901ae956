"""Puts files back to what they were in a tree, exactly: contents, links, executable bits, and files that were not."""

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from opencode.snapshot import names
from opencode.snapshot.index import ShadowIndex
from opencode.snapshot.shadow_git import FIRST_TIMEOUT_SECONDS, ShadowGit
from opencode.snapshot.surroundings import Surroundings
from opencode.snapshot.tree_diff import DELETED, Difference, differences

SCRATCH = "restore.index"
_EXECUTABLE = b"100755"
_LINK = b"120000"
_USUAL_PERMISSIONS = frozenset({0o644, 0o755})


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be written from a tree, with the modes, and what has to be deleted."""

    tree: str
    write: dict[bytes, bytes]
    delete: list[bytes]


class _Displaced:
    """The differences that are written where one of the names, or a directory above it, cannot be as well."""

    def __init__(self, given: Collection[bytes]) -> None:
        self._names = given
        self._folders = {folder for name in given for folder in names.parents(name)}

    def __contains__(self, difference: Difference) -> bool:
        if difference.status == DELETED:
            return False
        above = names.parents(difference.name)
        return difference.name in self._folders or any(folder in self._names for folder in above)


class Restorer:
    """Writes and deletes files of the work tree; leaves the store's index as it is."""

    def __init__(self, git: ShadowGit, index: ShadowIndex, around: Surroundings) -> None:
        self._git = git
        self._index = index
        self._around = around

    async def plan(
        self, now: str, tree: str, only: Collection[bytes] | None = None, *, with_displaced: bool = False
    ) -> Plan:
        """What leads from the tree of the files as they are to another; ``only`` these names. Raises ``GitFailed``.

        ``with_displaced``: and what had to make way for one of these names, a file for a directory or the reverse.
        """
        displaced = _Displaced(only) if only is not None and with_displaced else ()
        found = [
            difference
            for difference in await differences(self._git, now, tree)
            if (only is None or difference.name in only or difference in displaced) and names.is_inside(difference.name)
        ]
        return Plan(
            tree=tree,
            write={entry.name: entry.mode for entry in found if entry.status != DELETED},
            delete=[entry.name for entry in found if entry.status == DELETED],
        )

    async def carry_out(self, plan: Plan, *, spare_ignored: bool) -> None:
        """Change the files. ``spare_ignored``: do not delete what the rules, as they are then, ignore.

        Raises ``GitFailed``, ``OSError``; part of it may be done by then.
        """
        await self._write(plan)
        # After writing, so that the ignore rules are those of the tree; what became a directory is no file now.
        doomed = [name for name in plan.delete if self._around.is_present(name)]
        ignored = await self._index.ignored(doomed, even_if_held=True) if spare_ignored else set()
        for name in doomed:
            if name not in ignored:
                self._delete(name)

    async def _write(self, plan: Plan) -> None:
        if not plan.write:
            return
        permissions = {name: mode for name in plan.write if (mode := self._special_permissions(name)) is not None}
        try:
            await self._git.output("read-tree", plan.tree, index=SCRATCH)
            arguments = ("checkout-index", "--force", "-z", "--stdin")
            await self._git.output(
                *arguments,
                stdin=names.joined(plan.write),
                index=SCRATCH,
                timeout_seconds=FIRST_TIMEOUT_SECONDS,
            )
        finally:
            for leftover in (SCRATCH, f"{SCRATCH}.lock"):
                (self._git.store / leftover).unlink(missing_ok=True)
        for name, mode in permissions.items():
            self._set_permissions(name, mode, plan.write[name])

    def _special_permissions(self, name: bytes) -> int | None:
        """The permissions of a file that git cannot hold, such as those of a secret; None for usual ones."""
        try:
            mode = os.lstat(self._around.path(name)).st_mode
        except OSError:
            return None
        permissions = stat.S_IMODE(mode)
        return permissions if stat.S_ISREG(mode) and permissions not in _USUAL_PERMISSIONS else None

    def _set_permissions(self, name: bytes, permissions: int, mode: bytes) -> None:
        if mode == _LINK:
            return
        readable = permissions & 0o444
        executable = readable >> 2 if mode == _EXECUTABLE else 0
        with suppress(OSError):
            self._around.file(name).chmod(permissions & ~0o111 | executable)

    def _delete(self, name: bytes) -> None:
        """Delete a file or link, and the directories that are empty then."""
        self._around.file(name).unlink()
        for folder in names.parents(name):
            if folder == self._around.scope:
                return
            try:
                self._around.file(folder).rmdir()
            except OSError:
                return
