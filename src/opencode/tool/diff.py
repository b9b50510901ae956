"""Unified diffs as clients expect them (spec: file tools, 9)."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opencode.file.text import printable, unix_newlines

CONTEXT_LINES = 4
MAX_EDITS = 300
"""Past so many changed lines the shortest script costs too much to find (it grows with their square)."""
WHOLE_TEXTS_LIMIT = 64 * 1024

Opcode = tuple[str, int, int, int, int]
"""As in ``difflib``: tag, and the ranges in the old and new lines; never two neighbours that both change."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file; ``patch`` is a unified diff whose path is absolute."""

    patch: str
    additions: int
    deletions: int


def file_diff(path: Path, before: str, after: str) -> FileDiff:
    """The change of a file from one text to another; kinds of line ends are not compared."""
    old, new = _lines(before), _lines(after)
    opcodes = list(_opcodes(old, new))
    changed = [opcode for opcode in opcodes if opcode[0] != "equal"]
    return FileDiff(
        patch="".join([*_header(path), *_narrowed(list(_hunks(opcodes, old, new)))]),
        additions=sum(j2 - j1 for _, _, _, j1, j2 in changed),
        deletions=sum(i2 - i1 for _, i1, i2, _, _ in changed),
    )


def whole_texts(before: str, after: str) -> dict[str, str]:
    """``before`` and ``after`` for clients older than the ``patch`` key; nothing when that would be large.

    They are stored with the part and sent with each of its events; those clients show the patch without them.
    """
    if len(before) + len(after) > WHOLE_TEXTS_LIMIT:
        return {}
    return {"before": printable(before), "after": printable(after)}


def _lines(text: str) -> list[str]:
    """The lines with their ends; a last line without one differs from the same line with one."""
    lines = printable(unix_newlines(text)).split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _header(path: Path) -> list[str]:
    return [f"Index: {path}\n", "=" * 67 + "\n", f"--- {path}\n", f"+++ {path}\n"]


def _hunks(opcodes: list[Opcode], old: list[str], new: list[str]) -> Iterator[str]:
    for group in _grouped(opcodes):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@\n"
        for tag, a1, a2, b1, b2 in group:
            if tag == "equal":
                yield from _marked(" ", old[a1:a2])
            else:
                yield from _marked("-", old[a1:a2])
                yield from _marked("+", new[b1:b2])


def _grouped(opcodes: list[Opcode]) -> Iterator[list[Opcode]]:
    """Opcodes by hunk: changes that are at most twice the context apart, with their context."""
    group: list[Opcode] = []
    for number, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        is_first, is_last = number == 0, number == len(opcodes) - 1
        if not is_first and not is_last and i2 - i1 <= 2 * CONTEXT_LINES:
            group.append((tag, i1, i2, j1, j2))
            continue
        if group:
            end = min(i2, i1 + CONTEXT_LINES)
            yield [*group, (tag, i1, end, j1, j1 + end - i1)]
            group = []
        if not is_last:
            start = max(i1, i2 - CONTEXT_LINES)
            group = [(tag, start, i2, j2 - (i2 - start), j2)]
    if group:
        yield group


def _range(start: int, end: int) -> str:
    return f"{start + 1 if end > start else start},{end - start}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield mark + line
        else:
            yield f"{mark}{line}\n"
            yield "\\ No newline at end of file\n"


def _narrowed(hunks: list[str]) -> list[str]:
    """The lines without the indentation that all content shares, so that clients can show them narrow."""
    content = [line[1:] for line in hunks if line[0] in " +-" and line[1:].strip()]
    indent = min((len(line) - len(line.lstrip()) for line in content), default=0)
    if not indent:
        return hunks
    return [line[0] + line[1 + indent :] if line[0] in " +-" and line[1:].strip() else line for line in hunks]


def _opcodes(old: list[str], new: list[str]) -> Iterator[Opcode]:
    """Turns ``old`` into ``new``; the shortest way where that is affordable."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    if head:
        yield ("equal", 0, head, 0, head)
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if a or b:
        for tag, i1, i2, j1, j2 in _shortest(a, b) or difflib.SequenceMatcher(None, a, b).get_opcodes():
            yield (tag, i1 + head, i2 + head, j1 + head, j2 + head)
    if tail:
        yield ("equal", len(old) - tail, len(old), len(new) - tail, len(new))


def _shortest(a: list[str], b: list[str]) -> list[Opcode] | None:
    """Myers' greedy algorithm; None past ``MAX_EDITS``. Of equal scripts, the one that deletes first."""
    if not a or not b:
        return [("replace", 0, len(a), 0, len(b))]
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(MAX_EDITS + 1):
        trace.append(dict(reached))
        for diagonal in range(-edits, edits + 1, 2):
            x = _step(reached, diagonal, edits)
            y = x - diagonal
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            reached[diagonal] = x
            if x >= len(a) and y >= len(b):
                return _walk_back(trace, len(a), len(b))
    return None


def _step(reached: dict[int, int], diagonal: int, edits: int) -> int:
    """Where the next edit on a diagonal starts: an insertion (from above) or a deletion (from the left)."""
    return reached[diagonal + 1] if _inserts(reached, diagonal, edits) else reached[diagonal - 1] + 1


def _inserts(reached: dict[int, int], diagonal: int, edits: int) -> bool:
    return diagonal == -edits or (diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1])


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[Opcode]:
    matches: list[tuple[int, int]] = []
    end = (x, y)
    for edits in range(len(trace) - 1, -1, -1):
        reached, diagonal = trace[edits], x - y
        start = _step(reached, diagonal, edits)
        while x > start and y > 0:
            x, y = x - 1, y - 1
            matches.append((x, y))
        if edits:
            x, y = (x, y - 1) if _inserts(reached, diagonal, edits) else (x - 1, y)
    return _between(matches[::-1], end)


def _between(matches: list[tuple[int, int]], end: tuple[int, int]) -> list[Opcode]:
    """Opcodes from the pairs of equal lines, in order."""
    opcodes: list[Opcode] = []
    i = j = 0
    for x, y in [*matches, end]:
        if (x, y) != (i, j):
            opcodes.append(("replace", i, x, j, y))
        if (x, y) == end:
            break
        if opcodes and opcodes[-1][0] == "equal":
            tag, i1, _, j1, _ = opcodes[-1]
            opcodes[-1] = (tag, i1, x + 1, j1, y + 1)
        else:
            opcodes.append(("equal", x, x + 1, y, y + 1))
        i, j = x + 1, y + 1
    return opcodes
