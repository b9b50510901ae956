"""Unified diffs as clients expect them (spec: file tools, 9)."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from opencode.file.disk import near
from opencode.file.text import printable, unix_newlines

CONTEXT_LINES = 4
MAX_EDITS = 300
"""Past so many changed lines the shortest script costs too much to find (it grows with their square)."""
WHOLE_TEXTS_LIMIT = 64 * 1024

Opcode = tuple[str, int, int, int, int]
"""As in ``difflib``: ``equal`` or ``replace``, and the ranges in the old and new lines; the two take turns."""
Pair = tuple[int, int]
"""Numbers of an old and a new line that are equal."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in one file; ``patch`` is a unified diff whose path is absolute."""

    patch: str
    additions: int
    deletions: int


def file_diff(path: Path, before: str, after: str) -> FileDiff:
    """The change of a file from one text to another; kinds of line ends are not compared."""
    old, new = _lines(before), _lines(after)
    opcodes = _opcodes(old, new)
    changed = [opcode for opcode in opcodes if opcode[0] != "equal"]
    return FileDiff(
        patch="".join([*_header(path), *_narrowed(list(_hunks(opcodes, old, new)))]),
        additions=sum(j2 - j1 for _, _, _, j1, j2 in changed),
        deletions=sum(i2 - i1 for _, i1, i2, _, _ in changed),
    )


async def diff_of(path: Path, before: str, after: str) -> FileDiff:
    """``file_diff``, in a thread when the texts are large."""
    return await near(len(before) + len(after), partial(file_diff, path, before, after))


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


def _opcodes(old: list[str], new: list[str]) -> list[Opcode]:
    """Turns ``old`` into ``new``; the shortest way where that is affordable."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = _matches(old[head : len(old) - tail], new[head : len(new) - tail])
    pairs = [(at, at) for at in range(head)]
    pairs += [(i + head, j + head) for i, j in middle]
    pairs += [(len(old) - tail + at, len(new) - tail + at) for at in range(tail)]
    return _between(pairs, len(old), len(new))


def _matches(a: list[str], b: list[str]) -> list[Pair]:
    """Which lines stay, in order. Lines that are only on one side cannot, and are left out of the search."""
    in_a, in_b = set(a), set(b)
    places_a = [at for at, line in enumerate(a) if line in in_b]
    places_b = [at for at, line in enumerate(b) if line in in_a]
    shared_a, shared_b = [a[at] for at in places_a], [b[at] for at in places_b]
    pairs = _most_matches(shared_a, shared_b)
    if pairs is None:
        blocks = difflib.SequenceMatcher(None, shared_a, shared_b).get_matching_blocks()
        pairs = [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
    return [(places_a[i], places_b[j]) for i, j in pairs]


def _most_matches(a: list[str], b: list[str]) -> list[Pair] | None:
    """Myers' greedy algorithm; None past ``MAX_EDITS``. Of equal scripts, the one that deletes first."""
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(MAX_EDITS, len(a) + len(b)) + 1):
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
    """Where the next edit on a diagonal ends: an insertion (from above) or a deletion (from the left)."""
    return reached[diagonal + 1] if _inserts(reached, diagonal, edits) else reached[diagonal - 1] + 1


def _inserts(reached: dict[int, int], diagonal: int, edits: int) -> bool:
    return diagonal == -edits or (diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1])


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[Pair]:
    """The matches on the way that reached the end."""
    matches: list[Pair] = []
    for edits in range(len(trace) - 1, -1, -1):
        reached, diagonal = trace[edits], x - y
        start = _step(reached, diagonal, edits)
        while x > start and y > 0:
            x, y = x - 1, y - 1
            matches.append((x, y))
        x, y = (x, y - 1) if _inserts(reached, diagonal, edits) else (x - 1, y)
    return matches[::-1]


def _between(pairs: list[Pair], old_size: int, new_size: int) -> list[Opcode]:
    """Opcodes from the pairs of lines that stay, in order."""
    opcodes: list[Opcode] = []
    i = j = start_i = start_j = 0
    for x, y in [*pairs, (old_size, new_size)]:
        if (x, y) != (i, j):
            if i > start_i:
                opcodes.append(("equal", start_i, i, start_j, j))
            opcodes.append(("replace", i, x, j, y))
            start_i, start_j = x, y
        i, j = x + 1, y + 1
    if old_size > start_i:
        opcodes.append(("equal", start_i, old_size, start_j, new_size))
    return opcodes
