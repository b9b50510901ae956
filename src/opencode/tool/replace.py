"""Finding the text an edit means, from exact to forgiving (spec: file tools, 7.1 and 7.2).

Each strategy yields pieces of the file that may be what ``oldString`` means. The first piece that stands in the
file exactly once wins.
"""

import re
from collections.abc import Callable, Iterator

from opencode.tool.tool import ToolError

SIMILARITY = 0.65
"""How alike the lines between two anchors must be, on average."""
EQUAL_LINES = 0.5
"""How many of the lines between two anchors must be equal in the context strategy."""

Strategy = Callable[[str, str], Iterator[str]]

_SPACE = re.compile(r"\s+")
_ESCAPE = re.compile(r"\\([ntr'\"`\\\n$])")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def replace_text(content: str, old: str, new: str, *, replace_all: bool = False) -> str:
    """The content with ``old`` replaced by ``new``, literally: one match, or all with ``replace_all``.

    Raises ``ToolError`` when nothing matches, when more than one place does, or when the match is so much larger
    than ``old`` that replacing it would destroy what ``old`` does not mention.
    """
    ambiguous = False
    for strategy in STRATEGIES:
        for found in strategy(content, old):
            start = content.find(found) if found else -1
            if start < 0:
                continue
            if is_much_larger(found, old):
                raise ToolError(
                    "oldString only matches a part of the file that is much larger than oldString itself. "
                    "Nothing was changed. Read the file again and give the exact, complete text to replace."
                )
            if replace_all:
                return content.replace(found, new)
            if content.rfind(found) == start:
                return content[:start] + new + content[start + len(found) :]
            ambiguous = True
    if ambiguous:
        raise ToolError(
            "Found multiple matches for oldString. Provide more surrounding context to make the match unique."
        )
    raise ToolError(
        "Could not find oldString in the file. It must match exactly, including whitespace, indentation, "
        "and line endings."
    )


def is_much_larger(found: str, old: str) -> bool:
    """Whether a match holds far more than what was searched for."""
    lines, wanted = found.count("\n") + 1, old.count("\n") + 1
    if lines >= max(wanted + 3, 2 * wanted):
        return True
    size = len(old.strip())
    return wanted > 1 and len(found.strip()) > max(size + 500, 4 * size)


def exact(content: str, old: str) -> Iterator[str]:
    """The text itself."""
    yield old


def line_trimmed(content: str, old: str) -> Iterator[str]:
    """Lines that are equal but for white space at their ends."""
    lines, wanted = content.split("\n"), [line.strip() for line in _search_lines(old)]
    trimmed = [line.strip() for line in lines]
    for at, line in enumerate(trimmed):
        if line == wanted[0] and trimmed[at : at + len(wanted)] == wanted:
            yield "\n".join(lines[at : at + len(wanted)])


def block_anchor(content: str, old: str) -> Iterator[str]:
    """A block whose first and last lines are equal, about as long, and alike in between."""
    if old.count("\n") < 2:
        return
    lines, wanted = content.split("\n"), [line.strip() for line in _search_lines(old)]
    allowed = max(1, len(wanted) // 4)
    blocks = [
        (start, end)
        for start, end in _anchored(lines, wanted[0], wanted[-1])
        if abs(end - start + 1 - len(wanted)) <= allowed
    ]
    if not blocks:
        return
    ratings = [_similarity([line.strip() for line in lines[start : end + 1]], wanted) for start, end in blocks]
    best = max(ratings)
    if best >= SIMILARITY:
        start, end = blocks[ratings.index(best)]
        yield "\n".join(lines[start : end + 1])


def _similarity(block: list[str], wanted: list[str]) -> float:
    """How alike the lines between the anchors are, on average; lines that are empty on both sides count nothing."""
    # Slow to import, and most edits match exactly.
    from rapidfuzz.distance import Levenshtein

    middle = min(len(block), len(wanted)) - 2
    if middle <= 0:
        return 1.0
    alike = 0.0
    for ours, theirs in zip(block[1 : 1 + middle], wanted[1 : 1 + middle], strict=True):
        longest = max(len(ours), len(theirs))
        if longest:
            alike += 1 - Levenshtein.distance(ours, theirs) / longest
    return alike / middle


def whitespace_normalized(content: str, old: str) -> Iterator[str]:
    """Equal when every run of white space is one blank; within a line, also a part of it."""
    wanted = _normal(old)
    if not wanted:
        return
    words = re.compile(r"\s+".join(map(re.escape, old.split())))
    lines = content.split("\n")
    normal = [_normal(line) for line in lines]
    for line, text in zip(lines, normal, strict=True):
        if text == wanted:
            yield line
        elif wanted in text and (match := words.search(line)):
            yield match[0]
    height = old.count("\n") + 1
    if height < 2:
        return
    for at in range(len(lines) - height + 1):
        if wanted.startswith(normal[at]) and " ".join(filter(None, normal[at : at + height])) == wanted:
            yield "\n".join(lines[at : at + height])


def indentation_flexible(content: str, old: str) -> Iterator[str]:
    """Equal when both are moved to the left margin as a whole."""
    wanted = _dedented(old.split("\n"))
    first = wanted[0].lstrip()
    lines = content.split("\n")
    for at in range(len(lines) - len(wanted) + 1):
        block = lines[at : at + len(wanted)]
        if block[0].lstrip() == first and _dedented(block) == wanted:
            yield "\n".join(block)


def escape_normalized(content: str, old: str) -> Iterator[str]:
    """Equal when escapes such as ``\\n`` are taken for what they stand for."""
    wanted = _unescaped(old)
    if wanted in content:
        yield wanted
    if "\\" not in content:
        return
    lines, height = content.split("\n"), wanted.count("\n") + 1
    for at in range(len(lines) - height + 1):
        block = "\n".join(lines[at : at + height])
        if _unescaped(block) == wanted:
            yield block


def trimmed_boundary(content: str, old: str) -> Iterator[str]:
    """The text without white space around it."""
    wanted = old.strip()
    if wanted == old:
        return
    if wanted in content:
        yield wanted
    lines, height = content.split("\n"), old.count("\n") + 1
    for at in range(len(lines) - height + 1):
        block = "\n".join(lines[at : at + height])
        if block.strip() == wanted:
            yield block


def context_aware(content: str, old: str) -> Iterator[str]:
    """A block of the same height with equal first and last lines, and half of those in between."""
    if old.count("\n") < 2:
        return
    lines, wanted = content.split("\n"), [line.strip() for line in _search_lines(old)]
    for start, end in _anchored(lines, wanted[0], wanted[-1]):
        if end - start + 1 != len(wanted):
            continue
        middle = zip((line.strip() for line in lines[start + 1 : end]), wanted[1:-1], strict=True)
        pairs = [(ours, theirs) for ours, theirs in middle if ours or theirs]
        if not pairs or sum(ours == theirs for ours, theirs in pairs) >= EQUAL_LINES * len(pairs):
            yield "\n".join(lines[start : end + 1])


def multi_occurrence(content: str, old: str) -> Iterator[str]:
    """The text, once per occurrence."""
    for _ in range(content.count(old) if old else 0):
        yield old


STRATEGIES: tuple[Strategy, ...] = (
    exact,
    line_trimmed,
    block_anchor,
    whitespace_normalized,
    indentation_flexible,
    escape_normalized,
    trimmed_boundary,
    context_aware,
    multi_occurrence,
)


def _search_lines(old: str) -> list[str]:
    """The lines searched for, without the empty one after a final line end."""
    lines = old.split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _anchored(lines: list[str], first: str, last: str) -> Iterator[tuple[int, int]]:
    """For every line that equals ``first``, the nearest line two or more below that equals ``last``."""
    trimmed = [line.strip() for line in lines]
    lasts = [at for at, line in enumerate(trimmed) if line == last]
    next_last = 0
    for at, line in enumerate(trimmed):
        while next_last < len(lasts) and lasts[next_last] < at + 2:
            next_last += 1
        if next_last == len(lasts):
            return
        if line == first:
            yield at, lasts[next_last]


def _normal(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _dedented(lines: list[str]) -> list[str]:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[indent:] if line.strip() else line for line in lines]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
