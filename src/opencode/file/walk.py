"""The search engine without ripgrep: ``os.walk``, ignore files and ``re``. Slower, same answers."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import from_thread, to_thread

from opencode.core.text_file import read_text
from opencode.file.errors import InvalidPattern
from opencode.file.glob import GlobFilter
from opencode.file.schema import FoundFiles, FoundLines, LineMatch, Submatch

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Larger files are not searched."""
_SNIFFED_BYTES = 8192


class PythonSearch:
    """A search engine that needs nothing but Python. Regular expressions are Python's."""

    async def files(self, root: Path, globs: Sequence[str], *, limit: int) -> FoundFiles:
        """See ``SearchEngine.files``."""
        chosen = GlobFilter(globs)
        return await to_thread.run_sync(_files, root, chosen, limit)

    async def grep(
        self, root: Path, pattern: str, globs: Sequence[str], *, limit: int, per_file: int | None = None
    ) -> FoundLines:
        """See ``SearchEngine.grep``."""
        chosen = GlobFilter(globs)
        try:
            regex = re.compile(pattern)
        except re.error as error:
            caret = " " * (error.pos or 0) + "^"
            raise InvalidPattern(f"regex parse error:\n    {pattern}\n    {caret}\nerror: {error.msg}") from error
        return await to_thread.run_sync(_grep, root, regex, chosen, limit, per_file)


def _files(root: Path, chosen: GlobFilter, limit: int) -> FoundFiles:
    paths: list[str] = []
    for path in walk(root, chosen):
        if len(paths) == limit:
            return FoundFiles(paths=paths, truncated=True)
        paths.append(path)
    return FoundFiles(paths=paths)


def _grep(root: Path, regex: re.Pattern[str], chosen: GlobFilter, limit: int, per_file: int | None) -> FoundLines:
    files = (root / path for path in walk(root, chosen)) if root.is_dir() else iter([root])
    matches: list[LineMatch] = []
    incomplete = False
    for file in files:
        try:
            found = list(_matches_in(file, regex, per_file or limit + 1))
        except OSError:
            incomplete = True
            continue
        matches += found
        if len(matches) > limit:
            return FoundLines(matches=matches[:limit], truncated=True)
    return FoundLines(matches=matches, incomplete=incomplete)


def _matches_in(file: Path, regex: re.Pattern[str], limit: int) -> Iterator[LineMatch]:
    if file.stat().st_size > MAX_FILE_BYTES:
        return
    data = file.read_bytes()
    if b"\0" in data[:_SNIFFED_BYTES]:
        return
    offset = 0
    for number, raw in enumerate(data.splitlines(keepends=True) if b"\r" not in data else _lines(data), 1):
        line = raw.decode("utf-8", "replace")
        hits = [_submatch(line, hit) for hit in regex.finditer(line.rstrip("\n"))]
        if hits:
            yield LineMatch(path=str(file), line=number, text=line, offset=offset, submatches=hits)
            limit -= 1
            if not limit:
                return
        offset += len(raw)


def _lines(data: bytes) -> list[bytes]:
    """Lines with their ends, where a carriage return alone ends none."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _submatch(line: str, hit: re.Match[str]) -> Submatch:
    start = len(line[: hit.start()].encode())
    return Submatch(text=hit[0], start=start, end=start + len(hit[0].encode()))


def walk(root: Path, chosen: GlobFilter) -> Iterator[str]:
    """Relative paths of the files below a directory that are wanted and not ignored, in the order of their names.

    Run in a worker thread; stops when its caller is cancelled.
    """
    names_something = bool(chosen.positive) and not chosen.is_catch_all
    ignores = _Ignores(root)
    for current, directories, files in os.walk(root):
        from_thread.check_cancelled()
        base = os.path.relpath(current, root)
        prefix = "" if base == "." else f"{base}{os.sep}".replace(os.sep, "/")
        ignores.enter(prefix)
        directories[:] = sorted(
            name
            for name in directories
            if name != ".git"
            and not chosen.excludes(prefix + name)
            and not ignores.ignored(f"{prefix}{name}/")
            and not os.path.islink(os.path.join(current, name))  # noqa: PTH114, PTH118 (a Path per entry is slow)
        )
        for name in sorted(files):
            path = prefix + name
            if name == ".git" or not chosen.wants(path) or chosen.excludes(path):
                continue
            if (names_something or not ignores.ignored(path)) and not (root / path).is_symlink():
                yield path


class _Ignores:
    """The ignore files that hold below a directory: ``.ignore`` always, ``.gitignore`` inside a repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._repository = next((at for at in (root, *root.parents) if (at / ".git").exists()), None)
        above = list(root.parents) if self._repository is None else self._between(root, self._repository)
        # Outermost first; each with where the searched paths are below it.
        self._above = [
            (spec, f"{root.relative_to(at).as_posix()}/") for at in reversed(above) if (spec := self._read(at))
        ]
        self._below: dict[str, GitIgnoreSpec] = {}

    @staticmethod
    def _between(root: Path, repository: Path) -> list[Path]:
        return [parent for parent in root.parents if parent.is_relative_to(repository)]

    def enter(self, prefix: str) -> None:
        """Take in the ignore files of a directory (relative, ``/`` behind; ``""`` for the root)."""
        spec = self._read(self._root / prefix)
        if spec:
            self._below[prefix] = spec

    def ignored(self, path: str) -> bool:
        """Whether a file, or a directory with ``/`` behind, is ignored; the innermost that speaks of it decides."""
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts) - 1, -1, -1):
            prefix = "".join(f"{part}/" for part in parts[:depth])
            spec = self._below.get(prefix)
            verdict = spec.check_file(path[len(prefix) :]).include if spec else None
            if verdict is not None:
                return verdict
        for spec, below in reversed(self._above):
            verdict = spec.check_file(below + path).include
            if verdict is not None:
                return verdict
        return False

    def _read(self, directory: Path) -> "GitIgnoreSpec | None":
        lines: list[str] = []
        if self._repository and directory.is_relative_to(self._repository):
            if directory == self._repository:
                lines += ignore_lines(directory / ".git" / "info" / "exclude")
            lines += ignore_lines(directory / ".gitignore")
        lines += ignore_lines(directory / ".ignore") + ignore_lines(directory / ".rgignore")
        if not lines:
            return None
        # Slow to import, and only needed where ripgrep is missing.
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(lines)


def ignore_lines(file: Path) -> list[str]:
    """The lines of an ignore file; none when it cannot be read."""
    try:
        return read_text(file).splitlines()
    except OSError:
        return []
