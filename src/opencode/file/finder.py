"""Finding files and directories by a few letters of their path (spec: files and search, 5)."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio
from anyio import to_thread

from opencode.file.fuzzy import best_matches
from opencode.file.schema import PathKind
from opencode.file.search import FileSearch

INDEXED_FILES = 200_000
FRESH_SECONDS = 2.0
_DIRECTORY_CANDIDATES = 20
"""So many times the limit are ranked before hidden directories are moved behind the others."""


@dataclass(frozen=True, slots=True)
class _Index:
    """Relative paths; directories end with ``/``."""

    files: Sequence[str]
    directories: Sequence[str]
    made_at: float


_NOTHING = _Index((), (), float("-inf"))


class FileFinder:
    """Ranks the paths below one directory. The list of paths is made anew when it is older than two seconds."""

    def __init__(self, search: FileSearch, directory: Path) -> None:
        self._search = search
        self._directory = directory
        self._lock = anyio.Lock()
        self._index = _NOTHING

    async def find(self, query: str, *, kind: PathKind | None = None, limit: int = 10) -> list[str]:
        """The best paths first; directories end with ``/``. Source: operation ``find.files``."""
        query = query.strip()
        index = await self._fresh()
        if not query:
            return list(index.files[:limit]) if kind == "file" else _hidden_last(sorted(index.directories))[:limit]
        if kind == "directory":
            found = await _ranked(query, index.directories, limit * _DIRECTORY_CANDIDATES)
            wants_hidden = query.startswith(".") or "/." in query
            return (found if wants_hidden else _hidden_last(found))[:limit]
        candidates = index.files if kind == "file" else [*index.files, *index.directories]
        return await _ranked(query, candidates, limit)

    async def _fresh(self) -> _Index:
        async with self._lock:
            if time.monotonic() - self._index.made_at > FRESH_SECONDS and self._directory.parent != self._directory:
                found = await self._search.files(self._directory, limit=INDEXED_FILES)
                files = sorted(found.paths)
                self._index = _Index(files, await to_thread.run_sync(_directories, files), time.monotonic())
                # Nobody types for long, and a list of so many paths takes tens of megabytes.
                asyncio.get_running_loop().call_later(FRESH_SECONDS, self._forget, self._index)
            return self._index

    def _forget(self, index: _Index) -> None:
        if self._index is index:
            self._index = _NOTHING


async def _ranked(query: str, candidates: Sequence[str], limit: int) -> list[str]:
    return await to_thread.run_sync(best_matches, query, candidates, limit, abandon_on_cancel=True)


def _directories(files: Iterable[str]) -> list[str]:
    """All directories that hold one of the files, at any depth."""
    found: dict[str, None] = {}
    for parent in dict.fromkeys(file.rpartition("/")[0] for file in files):
        for above in (PurePosixPath(parent), *PurePosixPath(parent).parents):
            found[f"{above}/"] = None
    found.pop("./", None)
    return sorted(found)


def _hidden_last(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: any(part.startswith(".") for part in path.split("/")))
