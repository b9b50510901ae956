"""A part of a file or directory, as it is shown: so many lines from here on."""

import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from opencode.file.text import printable

DEFAULT_LINES = 2000
MAX_LINE_CHARACTERS = 2000
MAX_PAGE_BYTES = 50 * 1024
_CUT_MARK = f"... (line truncated to {MAX_LINE_CHARACTERS} chars)"
_LINE_BYTES = 4 * MAX_LINE_CHARACTERS + 4
"""Enough for a full line of the longest characters and a bit: more of a line is never kept."""
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Lines (or entries) ``first`` and following, of ``total``. ``capped``: ended by the byte limit."""

    lines: list[str]
    first: int
    total: int
    capped: bool = False

    @property
    def next(self) -> int:
        """The number of the first line behind the page."""
        return self.first + len(self.lines)

    @property
    def truncated(self) -> bool:
        """Whether there is more behind the page."""
        return self.next <= self.total


def entries_page(directory: Path, first: int, limit: int) -> Page:
    """The names in a directory, ``/`` behind directories, ordered without regard to case. Raises ``OSError``."""
    with os.scandir(directory) as entries:
        names = [printable(entry.name) + ("/" if entry.is_dir() else "") for entry in entries]
    names.sort(key=lambda name: (name.casefold(), name.swapcase()))
    return Page(names[first - 1 : first - 1 + limit], first, len(names))


def read_page(path: Path, first: int, limit: int) -> Page:
    """Lines of a text file, without their ends; bytes that are not UTF-8 become replacement characters.

    Long lines are cut with a mark. The page ends before it would hold more than ``MAX_PAGE_BYTES``. Memory is
    bounded whatever the file holds. Raises ``OSError``.
    """
    lines: list[str] = []
    size = 0
    number = 0
    with path.open("rb") as file:
        for raw in _raw_lines(file):
            number += 1
            if number < first:
                continue
            if len(lines) == limit:
                return Page(lines, first, number + _rest(file))
            line = _shown(raw.removeprefix(BOM_UTF8) if number == 1 else raw)
            size += len(line.encode()) + (1 if lines else 0)
            if size > MAX_PAGE_BYTES:
                return Page(lines, first, number + _rest(file), capped=True)
            lines.append(line)
    return Page(lines, first, number)


def _raw_lines(file: BufferedReader) -> Iterator[bytes]:
    """The lines of a file with their ends, each at most ``_LINE_BYTES`` long."""
    while line := file.readline(_LINE_BYTES):
        kept = line
        while line and not line.endswith(b"\n"):
            line = file.readline(_CHUNK_BYTES)
        yield kept


def _rest(file: BufferedReader) -> int:
    """How many lines are left."""
    count, last = 0, b"\n"
    while chunk := file.read(_CHUNK_BYTES):
        count += chunk.count(b"\n")
        last = chunk[-1:]
    return count + (last != b"\n")


def _shown(raw: bytes) -> str:
    line = raw.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    return line if len(line) <= MAX_LINE_CHARACTERS else line[:MAX_LINE_CHARACTERS] + _CUT_MARK
