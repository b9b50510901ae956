"""Snapshots of one directory: taking them, telling what changed, and putting files back."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from opencode.core.log import get_logger
from opencode.project.git import Git
from opencode.snapshot import names
from opencode.snapshot.errors import GitFailed, GitUnusable, SnapshotFailed, SnapshotNotFound
from opencode.snapshot.ignore_rules import IgnoreRules
from opencode.snapshot.index import ShadowIndex
from opencode.snapshot.restore import Plan, Restorer
from opencode.snapshot.schema import FileChange, Patch, SnapshotUsage
from opencode.snapshot.seed import seed, unseed
from opencode.snapshot.shadow_git import ShadowGit
from opencode.snapshot.store import MARKER, create_store, keep, store_directory
from opencode.snapshot.surroundings import Surroundings
from opencode.snapshot.tracker import TooMuch, Tracker
from opencode.snapshot.tree_diff import DELETED, diff_text, differences, file_changes
from opencode.snapshot.upkeep import clean, measure

_log = get_logger("snapshot")
_TREE = re.compile(r"[0-9a-f]{40}")


@dataclass(slots=True)
class _Batch:
    """Callers that want a snapshot taken from now on; the first to get the lock takes it for all."""

    is_done: bool = False
    tree: str | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What works on the store, once it exists."""

    index: ShadowIndex
    tracker: Tracker
    restorer: Restorer


class SnapshotService:
    """The snapshots of one directory. Only one may exist for a directory at a time.

    Nothing that goes wrong while looking at files stops a session: then there is no snapshot, and the log says why.
    """

    def __init__(self, git: ShadowGit, around: Surroundings, *, enabled: bool) -> None:
        self._git = git
        self._around = around
        self._is_wanted = enabled
        self._off_because: str | None = None
        self._lock = anyio.Lock()
        self._joining: _Batch | None = None
        self._parts: _Parts | None = None
        self._has_begun_again = False

    @property
    def enabled(self) -> bool:
        """Whether snapshots are taken; also False once it turned out that they cannot be."""
        return self._is_wanted and self._off_because is None

    @property
    def off_because(self) -> str | None:
        """What turned them off, if they were wanted."""
        return self._off_because

    async def track(self) -> str | None:
        """The hash of a tree of the files as they are now; None when there can be none."""
        if not self.enabled:
            return None
        if self._joining is None:
            self._joining = _Batch()
        batch = self._joining
        async with self._lock:
            if not batch.is_done:
                if self._joining is batch:
                    self._joining = None
                batch.tree = await self._track()
                batch.is_done = True
        return batch.tree

    async def patch(self, tree: str, after: str | None = None) -> Patch:
        """The files that changed since a tree until another, which is that of the files now unless given."""
        until = after or await self.track()
        if until is None:
            return Patch(tree, [])
        try:
            found = await differences(self._git, checked(tree), checked(until))
            hidden = await self._hidden(entry.name for entry in found if entry.status == DELETED)
        except (GitFailed, SnapshotNotFound) as error:
            _log.warning("cannot compare snapshots", before=tree, after=until, error=error)
            return Patch(tree, [])
        changed = [entry.name for entry in found if entry.name not in hidden]
        return Patch(tree, [names.absolute(self._around.worktree, name) for name in changed])

    async def changed(self, before: str, after: str) -> list[FileChange]:
        """The files that differ between two trees, sorted by name. Raises ``SnapshotNotFound``, ``SnapshotFailed``."""
        try:
            found = await file_changes(self._git, checked(before), checked(after))
            hidden = await self._hidden(name for name, change in found.items() if change.status == "deleted")
        except GitFailed as error:
            raise await self._explained(error, before, after) from error
        return [change for name, change in found.items() if name not in hidden]

    async def diff(self, tree: str) -> str:
        """What changed since a tree, as git prints it; empty when it cannot be told."""
        now = await self.track()
        if now is None:
            return ""
        try:
            return await diff_text(self._git, checked(tree), now)
        except (GitFailed, SnapshotNotFound) as error:
            _log.warning("cannot compare snapshots", before=tree, after=now, error=error)
            return ""

    async def restore(self, tree: str, only: Sequence[str] | None = None) -> None:
        """Make the files those of a tree: also deletes what was not there, except what is ignored.

        ``only``: these absolute paths and no others, except files of the tree that had to make way for one of them.
        All or nothing. Raises ``SnapshotNotFound``, ``SnapshotFailed``.
        """
        wanted = None if only is None else self._names(only)
        await self._put_back({tree: wanted}, spare_ignored=only is None, with_displaced=True)

    async def revert(self, patches: Sequence[Patch]) -> None:
        """Undo patches, oldest first: each file becomes what it was before the first patch that names it.

        All or nothing. Raises ``SnapshotNotFound``, ``SnapshotFailed``. Source: specification, snapshots, section 5.
        """
        wanted: dict[str, set[bytes] | None] = {}
        seen: set[bytes] = set()
        for patch in patches:
            fresh = self._names(patch.files) - seen
            seen |= fresh
            if fresh:
                wanted[patch.hash] = fresh | (wanted.get(patch.hash) or set())
        await self._put_back(wanted, spare_ignored=False)

    async def usage(self) -> SnapshotUsage:
        """What the snapshots take on the disk."""
        return await measure(self._git.store)

    async def cleanup(self, now_ms: int, in_use: Collection[str] = ()) -> SnapshotUsage | None:
        """Let go of snapshots older than a week, except those in use, and bound the store; what it takes then.

        To be called every hour; the log tells what it takes. None when there is no store, or it could not be cleaned.
        """
        marker = self._git.store / MARKER
        if not marker.exists():
            return None
        try:
            marker.touch()  # the directory is open: its store does not count as left behind
            usage = await clean(self._git, frozenset(in_use), now_ms, self._lock)
            _log.info("cleaned", store=str(usage.directory), snapshots=usage.snapshots, bytes=usage.bytes)
            return usage
        except (GitFailed, OSError) as error:
            _log.warning("cannot clean snapshots", store=str(self._git.store), error=error)
            return None

    async def _track(self) -> str | None:
        try:
            parts = await self._prepared()
            tree = await self._tree(parts)
            keep(self._git.store, tree)
            return tree
        except (TooMuch, GitUnusable) as error:
            self._off_because = str(error)
            _log.warning("snapshots are off", directory=str(self._around.worktree), error=error)
        except (GitFailed, OSError) as error:
            _log.warning("no snapshot", directory=str(self._around.worktree), error=error)
        return None

    async def _prepared(self) -> _Parts:
        """The parts, and the store itself, made when it is first needed."""
        if self._parts is None:
            create_store(self._git.store)
            rules = IgnoreRules(self._git.store, await self._around.rule_sources())
            index = ShadowIndex(self._git, self._around.scope)
            tracker = Tracker(index, self._around, rules)
            if not index.exists and not await self._seeded():
                await tracker.adopt_tracked()
            self._parts = _Parts(index, tracker, Restorer(self._git, index, self._around))
        return self._parts

    async def _seeded(self) -> bool:
        return self._around.user is not None and await seed(self._git, self._around.user, self._around.scope)

    async def _tree(self, parts: _Parts) -> str:
        """The tree of the files; with a store that is damaged, begin again once, on our own."""
        try:
            return await parts.tracker.tree()
        except GitUnusable:
            raise
        except GitFailed as error:
            if self._has_begun_again:
                raise
            self._has_begun_again = True
            _log.warning("the snapshot index is made again", store=str(self._git.store), error=error)
        unseed(self._git)
        await parts.tracker.adopt_tracked()
        return await parts.tracker.tree()

    async def _hidden(self, deleted: Iterable[bytes]) -> set[bytes]:
        """Names that left the trees because they are ignored by now, while the files are still there."""
        still_there = [name for name in deleted if self._around.is_present(name)]
        if not still_there or self._parts is None:
            return set()
        return await self._parts.index.ignored(still_there)

    def _names(self, paths: Iterable[str]) -> set[bytes]:
        found = (names.relative(self._around.worktree, path) for path in paths)
        return {name for name in found if name is not None and self._around.is_in_scope(name)}

    async def _put_back(
        self, wanted: Mapping[str, set[bytes] | None], *, spare_ignored: bool, with_displaced: bool = False
    ) -> None:
        if not wanted:
            return
        if not self.enabled:
            raise SnapshotFailed(self._off_because or "snapshots are turned off")
        async with self._lock:
            try:
                parts = await self._prepared()
                now = await self._tree(parts)
                keep(self._git.store, now)
                plans = [
                    await parts.restorer.plan(now, checked(tree), only, with_displaced=with_displaced)
                    for tree, only in wanted.items()
                ]
            except (GitFailed, TooMuch, OSError) as error:
                raise await self._explained(error, *wanted) from error
            await self._carry_out(parts, plans, now, spare_ignored=spare_ignored)

    async def _carry_out(self, parts: _Parts, plans: list[Plan], now: str, *, spare_ignored: bool) -> None:
        try:
            for plan in plans:
                keep(self._git.store, plan.tree)
                await parts.restorer.carry_out(plan, spare_ignored=spare_ignored)
        except (GitFailed, OSError) as error:
            with suppress(GitFailed, TooMuch, OSError):
                back = await parts.restorer.plan(await parts.tracker.tree(), now)
                await parts.restorer.carry_out(back, spare_ignored=True)
            raise SnapshotFailed(str(error)) from error

    async def _explained(self, error: Exception, *trees: str) -> SnapshotNotFound | SnapshotFailed:
        for tree in trees:
            try:
                await self._git.output("cat-file", "-e", f"{checked(tree)}^{{tree}}")
            except GitFailed:
                return SnapshotNotFound(tree)
        return SnapshotFailed(str(error))


def open_snapshots(
    *,
    data: Path,
    project_id: str,
    directory: Path,
    worktree: Path,
    git: Git,
    environ: Mapping[str, str],
    enabled: bool,
) -> SnapshotService:
    """The snapshots of a directory, which is in a work tree, or in none (``/``). Nothing is created before the first.

    ``git`` reads the user's repository, ``environ`` is the server's.
    """
    around = Surroundings(directory, worktree, git, environ)
    store = store_directory(data, project_id, directory)
    return SnapshotService(ShadowGit(store, around.worktree, environ), around, enabled=enabled)


def checked(tree: str) -> str:
    """The hash, which may come from anywhere, if it looks like one. Raises ``SnapshotNotFound``."""
    if not _TREE.fullmatch(tree):
        raise SnapshotNotFound(tree)
    return tree
