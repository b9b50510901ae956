"""Notices whether names may have appeared below a directory, at the price of one look at each directory in it."""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio.lowlevel import checkpoint

from opencode.snapshot.file_watch import LIMIT, SLICE
from opencode.snapshot.ignore_rules import RULES_FILE
from opencode.snapshot.stamps import Stamp, is_directory, is_settled, stamp_of

Ignored = Callable[[list[bytes]], Awaitable[set[bytes]]]
Seen = tuple[Stamp | None, frozenset[bytes]]
"""A directory's stamp, or None when it was too young to be sure of, and the names in it; ``/`` ends a directory's."""
_NOTHING: Seen = (None, frozenset())
_GIT = frozenset({b".git", b".git/"})


class DirectoryWatch:
    """Every directory below ``scope`` that is not ignored, and the names that were in it."""

    def __init__(self, root: Path, scope: bytes) -> None:
        self._root = os.fsencode(root).rstrip(b"/") + b"/"
        self._scope = scope
        self._seen: dict[bytes, Seen] = {scope: _NOTHING}
        self._looked: dict[bytes, Seen | None] = {}
        self._ignored: set[bytes] = set()

    @property
    def is_too_large(self) -> bool:
        """Whether git looks faster by now."""
        return len(self._seen) > LIMIT

    def rule_files(self) -> list[bytes]:
        """The files with ignore rules among the names."""
        return [_join(folder, RULES_FILE) for folder, (_, found) in self._seen.items() if RULES_FILE in found]

    async def has_new_names(self) -> bool:
        """Whether there are names that were not there at the last :meth:`accept`."""
        self._looked = {}
        is_new = False
        for count, (folder, (stamp, known)) in enumerate(list(self._seen.items()), 1):
            if stamp is None or stamp_of(self._root + folder) != stamp:
                self._looked[folder] = seen = self._read(folder, time.time_ns())
                is_new = is_new or (seen is not None and _differs(known, seen[1]))
            if count % SLICE == 0:
                await checkpoint()
        return is_new

    async def begin(self, tracked_folders: set[bytes], ignored: Ignored, since_ns: int) -> None:
        """Get to know every directory, after git has listed the files, begun at ``since_ns``."""
        await self._take([self._scope], since_ns)
        await self._discover([self._scope], tracked_folders, ignored, since_ns)

    async def accept(self, tracked_folders: set[bytes], ignored: Ignored, since_ns: int) -> None:
        """Take the names of the last look for known, now that git has listed the files, begun at ``since_ns``."""
        await self._discover(self._settle(), tracked_folders, ignored, since_ns)

    async def _discover(
        self, folders: list[bytes], tracked_folders: set[bytes], ignored: Ignored, since_ns: int
    ) -> None:
        while folders and not self.is_too_large:
            children = self._unknown_children(folders, tracked_folders)
            self._ignored |= await ignored([child for child in children if child not in tracked_folders])
            folders = [child for child in children if child not in self._ignored]
            await self._take(folders, since_ns)

    async def _take(self, folders: list[bytes], since_ns: int) -> None:
        """Look at directories after git did: those too young to know what git saw in them stay unknown."""
        for count, folder in enumerate(folders, 1):
            seen = self._read(folder, since_ns)
            self._seen[folder] = _NOTHING if seen is None or seen[0] is None else seen
            if count % SLICE == 0:
                await checkpoint()

    def _settle(self) -> list[bytes]:
        """Keep what the last look saw; the directories that it read."""
        looked, self._looked = self._looked, {}
        for folder, seen in looked.items():
            if seen is not None and folder in self._seen:
                self._seen[folder] = seen
            elif folder != self._scope:
                self._forget(folder)
        return [folder for folder in looked if folder in self._seen]

    def _forget(self, folder: bytes) -> None:
        """Drop a directory and those below it: a link in its place would lead elsewhere."""
        for known in [known for known in self._seen if known == folder or known.startswith(folder + b"/")]:
            del self._seen[known]

    def _unknown_children(self, folders: list[bytes], tracked_folders: set[bytes]) -> list[bytes]:
        found = []
        for folder in folders:
            entries = self._seen[folder][1]
            if entries & _GIT and folder != self._scope and folder not in tracked_folders:
                continue  # a repository of its own
            for name in entries:
                child = _join(folder, name[:-1])
                if name.endswith(b"/") and name not in _GIT and child not in self._seen and child not in self._ignored:
                    found.append(child)
        return found

    def _read(self, folder: bytes, since_ns: int) -> Seen | None:
        """What is in a directory; None when it is none."""
        path = self._root + folder
        stamp = stamp_of(path)
        if not is_directory(stamp):
            return None
        try:
            with os.scandir(path) as entries:
                found = frozenset(entry.name + b"/" if _is_folder(entry) else entry.name for entry in entries)
        except OSError:
            return None
        return (stamp if is_settled(stamp, since_ns) else None, found)


def _differs(known: frozenset[bytes], found: frozenset[bytes]) -> bool:
    """Whether names came, or the directory became or ceased to be a repository."""
    return bool(found - known) or bool((found ^ known) & _GIT)


def _is_folder(entry: "os.DirEntry[bytes]") -> bool:
    return entry.is_dir(follow_symlinks=False)


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
