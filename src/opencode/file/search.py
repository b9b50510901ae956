"""Finding files by name and by content."""

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path

from anyio import to_thread

from opencode.core.wire import replace
from opencode.file.engine import SearchEngine
from opencode.file.errors import InvalidPattern
from opencode.file.ripgrep import Ripgrep, find_ripgrep
from opencode.file.schema import FoundFiles, FoundLines
from opencode.file.text import printable
from opencode.file.walk import PythonSearch

SORTED_FILES = 20_000
"""So many files are looked at to find the newest."""


class FileSearch:
    """Searches the files of a directory with ripgrep, or with Python where there is none.

    In names that are not UTF-8 the odd bytes are shown as replacement characters.
    """

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine

    async def files(self, root: Path, globs: Sequence[str] = (), *, limit: int) -> FoundFiles:
        """Paths relative to ``root``, in no order. Raises ``InvalidPattern``, ``OSError``."""
        _must_exist(root)
        found = await self._engine.files(root, globs, limit=limit)
        return replace(found, paths=[printable(path) for path in found.paths])

    async def glob(self, root: Path, pattern: str, *, limit: int) -> FoundFiles:
        """Absolute paths of the files that match, the most recently changed first.

        Raises ``InvalidPattern``, ``OSError``.
        """
        _must_exist(root)
        found = await self._engine.files(root, [pattern], limit=SORTED_FILES)
        paths = await to_thread.run_sync(_newest_first, [str(root / path) for path in found.paths])
        shown = [printable(path) for path in paths[:limit]]
        return FoundFiles(paths=shown, truncated=found.truncated or len(paths) > limit)

    async def grep(
        self, root: Path, pattern: str, *, include: str | None = None, limit: int, per_file: int | None = None
    ) -> FoundLines:
        """The first ``limit`` matching lines that come; of the most recently changed file first, then by line.

        ``root`` may be a file. Raises ``InvalidPattern``, ``OSError``.
        """
        _must_exist(root)
        if "\0" in pattern:  # no argument of a program can hold it
            raise InvalidPattern("A pattern cannot have a NUL in it")
        globs = [include] if include else []
        found = await self._engine.grep(root, pattern, globs, limit=limit, per_file=per_file)
        by_file = await to_thread.run_sync(_newest_first, list({match.path for match in found.matches}))
        rank = {path: number for number, path in enumerate(by_file)}
        matches = sorted(found.matches, key=lambda match: (rank[match.path], match.line))
        return replace(found, matches=[replace(match, path=printable(match.path)) for match in matches])


def open_search(environ: Mapping[str, str]) -> FileSearch:
    """The best search this machine offers."""
    binary = find_ripgrep(environ)
    return FileSearch(Ripgrep(binary, environ) if binary else PythonSearch())


def _must_exist(root: Path) -> None:
    if not root.exists():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(root))


def _newest_first(paths: list[str]) -> list[str]:
    return sorted(paths, key=lambda path: (-_modified_ns(path), path))


def _modified_ns(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
