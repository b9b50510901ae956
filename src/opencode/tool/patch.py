"""The patch language of ``apply_patch``: reading it, and applying an update to a text (spec: file tools, 8)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

BEGIN, END = "*** Begin Patch", "*** End Patch"
ADD, DELETE, UPDATE, MOVE = "*** Add File:", "*** Delete File:", "*** Update File:", "*** Move to:"
END_OF_FILE = "*** End of File"

_HEREDOC = re.compile(r"^(?:cat\s+)?<<['\"]?(\w+)['\"]?\s*\n(.*?)\n\1\s*$", re.DOTALL)
_RANGE = re.compile(r"^ -\d+(,\d+)? \+\d+(,\d+)? @@")
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        "\u2026": "...",
    }
)


class PatchError(Exception):
    """The patch cannot be read, or does not fit the file."""


@dataclass(frozen=True, slots=True)
class AddFile:
    """Create a file. ``content`` has no line end at its end."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Remove a file."""

    path: str


@dataclass(slots=True)
class Chunk:
    """One place of an update: below the line ``context``, ``old`` becomes ``new``."""

    context: str | None = None
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """Change a file, and perhaps move it."""

    path: str
    chunks: list[Chunk]
    move_to: str | None = None


Section = AddFile | DeleteFile | UpdateFile


def parse_patch(text: str) -> list[Section]:
    """The sections of a patch, in order; none for an empty one. Raises ``PatchError``."""
    text = text.strip()
    heredoc = _HEREDOC.match(text)
    lines = (heredoc[2] if heredoc else text).replace("\r\n", "\n").split("\n")
    marks = [line.strip() for line in lines]
    if BEGIN not in marks or END not in marks or marks.index(BEGIN) >= marks.index(END):
        raise PatchError("Invalid patch format: missing Begin/End markers")
    return _sections(lines[marks.index(BEGIN) + 1 : marks.index(END)])


def _sections(lines: list[str]) -> list[Section]:
    sections: list[Section] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        body_end = _end_of_section(lines, at + 1)
        body = lines[at + 1 : body_end]
        if line.startswith(ADD):
            content = "\n".join(line[1:] for line in body if line.startswith("+"))
            sections.append(AddFile(_path(line, ADD), content))
        elif line.startswith(DELETE):
            sections.append(DeleteFile(_path(line, DELETE)))
        elif line.startswith(UPDATE):
            sections.append(_update(_path(line, UPDATE), body))
        else:
            at += 1
            continue
        at = body_end
    return sections


def _end_of_section(lines: list[str], start: int) -> int:
    ends = (at for at in range(start, len(lines)) if lines[at].startswith((ADD, DELETE, UPDATE)))
    return next(ends, len(lines))


def _path(line: str, header: str) -> str:
    path = line[len(header) :].strip()
    if not path:
        raise PatchError(f"Invalid patch format: no path after '{header}'")
    return path


def _update(path: str, body: list[str]) -> UpdateFile:
    move_to = None
    if body and body[0].startswith(MOVE):
        move_to, body = _path(body[0], MOVE), body[1:]
    return UpdateFile(path, _chunks(body), move_to)


def _chunks(lines: list[str]) -> list[Chunk]:
    """The chunks of an update.

    Changed lines before the first ``@@`` make a chunk of their own (the reference drops them, which no model
    means). A blank line between others of a chunk is a blank context line whose leading blank was lost.
    """
    chunks: list[Chunk] = []
    chunk: Chunk | None = None
    blanks = 0
    for line in lines:
        if line.startswith("@@"):
            chunk, blanks = Chunk(_context(line)), 0
            chunks.append(chunk)
        elif line.strip() == END_OF_FILE:
            if chunk:
                chunk.at_end = True
            chunk = None
        elif line.startswith("***"):
            chunk = None
        elif not line:
            blanks += 1
        elif line[0] in " +-" and (chunk or not chunks):
            if chunk is None:
                chunk, blanks = Chunk(), 0
                chunks.append(chunk)
            chunk.old += [""] * blanks
            chunk.new += [""] * blanks
            blanks = 0
            if line[0] in " -":
                chunk.old.append(line[1:])
            if line[0] in " +":
                chunk.new.append(line[1:])
    return chunks


def _context(line: str) -> str | None:
    """What stands behind ``@@``; the line numbers of a unified diff say nothing."""
    text = _RANGE.sub("", line[2:]).removeprefix(" ").rstrip()
    return text or None


def apply_update(text: str, chunks: Sequence[Chunk], path: str) -> str:
    """The text with every chunk applied, in order; it ends with a line end. Raises ``PatchError`` naming ``path``."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    changes: list[tuple[int, int, list[str]]] = []
    position = 0
    for chunk in chunks:
        if chunk.context is not None:
            found = seek(lines, [chunk.context], position)
            if found is None:
                raise PatchError(f"Failed to find context '{chunk.context}' in {path}")
            position = found + 1
        if not chunk.old:
            end = len(lines) - 1 if lines and not lines[-1] else len(lines)
            changes.append((end, 0, chunk.new))
            continue
        at, old, new = _place(lines, chunk, position, path)
        changes.append((at, len(old), new))
        position = at + len(old)
    # From the last to the first, so that positions stay true; of two at one place the later one goes first.
    changes.sort(key=lambda change: change[0])
    for at, count, new in reversed(changes):
        lines[at : at + count] = new
    return "".join(f"{line}\n" for line in lines)


def _place(lines: list[str], chunk: Chunk, position: int, path: str) -> tuple[int, list[str], list[str]]:
    """Where the chunk goes, and the lines that are replaced there and by what."""
    old, new = chunk.old, chunk.new
    at = seek(lines, old, position, at_end=chunk.at_end)
    if at is None and not old[-1]:
        old, new = old[:-1], new[:-1] if new and not new[-1] else new
        at = seek(lines, old, position, at_end=chunk.at_end)
    if at is None:
        raise PatchError(f"Failed to find expected lines in {path}:\n" + "\n".join(chunk.old))
    return at, old, new


def seek(lines: Sequence[str], pattern: Sequence[str], start: int, *, at_end: bool = False) -> int | None:
    """Where the pattern stands in the lines, from ``start`` on; with ``at_end`` the very end is tried first.

    Compared four times, each more forgiving: exactly, without white space behind, without white space around,
    and with typographic punctuation as ASCII.
    """
    if not pattern:
        return None
    last = len(lines) - len(pattern)
    for prepared in _COMPARISONS:
        ours, wanted = [prepared(line) for line in lines], [prepared(line) for line in pattern]
        if at_end and last >= start and ours[last:] == wanted:
            return last
        for at in range(start, last + 1):
            if ours[at] == wanted[0] and ours[at : at + len(wanted)] == wanted:
                return at
    return None


def _as_ascii(line: str) -> str:
    return line.strip().translate(_FOLDED)


_COMPARISONS: tuple[Callable[[str], str], ...] = (str, str.rstrip, str.strip, _as_ascii)
