"""Searches in the files of one directory, as clients ask for them (spec: files and search, 4 and 5)."""

import os
from pathlib import Path

from opencode.core.wire import replace
from opencode.file.finder import FileFinder
from opencode.file.schema import LineMatch, PathKind
from opencode.file.search import FileSearch

LINES_PER_FILE = 10
MOST_LINES = 1_000


class FileLookup:
    """Lines by a regular expression, paths by a few letters. Nothing is found where there is no directory."""

    def __init__(self, search: FileSearch, directory: Path) -> None:
        self._search = search
        self._directory = directory
        self._finder = FileFinder(search, directory)

    async def lines(self, pattern: str) -> list[LineMatch]:
        """Matching lines, at most ``LINES_PER_FILE`` of each file; of the most recently changed file first.

        Paths are relative to the directory. Raises ``InvalidPattern``. Source: operation ``find.text``.
        """
        if not self._directory.is_dir():
            return []
        found = await self._search.grep(self._directory, pattern, limit=MOST_LINES, per_file=LINES_PER_FILE)
        return [replace(match, path=os.path.relpath(match.path, self._directory)) for match in found.matches]

    async def paths(self, query: str, *, kind: PathKind | None, limit: int) -> list[str]:
        """The best paths first; directories end with ``/``. Source: operation ``find.files``."""
        return await self._finder.find(query, kind=kind, limit=limit) if self._directory.is_dir() else []
