"""What a tracker remembers of the work tree, so that git need not be asked when nothing happened."""

from collections.abc import Iterable

from opencode.snapshot import names
from opencode.snapshot.directory_watch import DirectoryWatch
from opencode.snapshot.file_watch import LIMIT as FILES_LIMIT
from opencode.snapshot.file_watch import FileWatch
from opencode.snapshot.index import ShadowIndex
from opencode.snapshot.surroundings import Surroundings

NAMES_LIMIT = 50_000
"""With more tracked files than this nothing is remembered and git is always asked."""


class Memory:
    """The tracked names, the directories they are in, and, when there are few, what each file looked like."""

    def __init__(self, index: ShadowIndex, around: Surroundings, tracked: set[bytes]) -> None:
        self._index = index
        self._around = around
        self._tracked = tracked
        self._tracked_folders = {folder for name in tracked for folder in names.parents(name)}
        self._folders = DirectoryWatch(around.worktree, around.scope)
        self._files: FileWatch | None = FileWatch(around.worktree) if len(tracked) <= FILES_LIMIT else None

    @classmethod
    async def begin(cls, index: ShadowIndex, around: Surroundings, since_ns: int) -> "Memory | None":
        """What there is, given that the index holds the files as they were at ``since_ns`` or later.

        None when the work tree is too large to remember.
        """
        tracked = await index.tracked()
        if len(tracked) > NAMES_LIMIT:
            return None
        memory = cls(index, around, set(tracked))
        await memory._folders.begin(memory._tracked_folders, index.ignored, since_ns)
        await memory._watch(tracked, since_ns)
        return None if memory._folders.is_too_large else memory

    async def suspects(self) -> list[bytes]:
        """Tracked files that may have changed, and other files with ignore rules that did."""
        if self._files is None:
            return await self._index.changed()
        return await self._files.suspects()

    def is_tracked(self, name: bytes) -> bool:
        return name in self._tracked

    async def has_new_names(self) -> bool:
        """Whether files may have appeared."""
        return await self._folders.has_new_names()

    async def accept(self, present: list[bytes], gone: Iterable[bytes], since_ns: int) -> "Memory | None":
        """The memory once the index took in ``present`` and let go of ``gone``; None when it grew too large."""
        self._tracked.difference_update(gone)
        self._tracked.update(present)
        self._tracked_folders.update(folder for name in present for folder in names.parents(name))
        await self._folders.accept(self._tracked_folders, self._index.ignored, since_ns)
        if self._folders.is_too_large or len(self._tracked) > NAMES_LIMIT:
            return None
        if self._files is not None:
            self._files.forget(gone)
            await self._watch(present, since_ns)
        return self

    async def _watch(self, files: Iterable[bytes], since_ns: int) -> None:
        if self._files is None:
            return
        rules = {*self._folders.rule_files(), *self._around.outer_rule_files()}
        # What is watched already keeps the stamp it was compared with.
        await self._files.watch({*files, *(name for name in rules if name not in self._files)}, since_ns)
        if len(self._files) > 2 * FILES_LIMIT:
            self._files = None
