"""The wildcard of permission rules (spec: agents and permissions, 3.2)."""


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern covers the whole text: ``*`` is any sequence, also over ``/`` and lines, ``?`` any character.

    Backslashes count as slashes on both sides. A pattern that ends in a blank and ``*`` also covers the text
    without that tail: ``ls *`` covers ``ls``. Takes time in proportion to the lengths, whatever the pattern.
    """
    if pattern == "*":
        return True
    text, pattern = text.replace("\\", "/"), pattern.replace("\\", "/")
    if "*" not in pattern and "?" not in pattern:
        return text == pattern
    if pattern.endswith(" *") and _covers(text, pattern[:-2]):
        return True
    return _covers(text, pattern)


def _covers(text: str, pattern: str) -> bool:
    first, *rest = pattern.split("*")
    if not rest:
        return len(text) == len(first) and _same(text, first, 0)
    *middle, last = rest
    if len(text) < len(first) + len(last) or not _same(text, first, 0):
        return False
    # The leftmost place for each piece is never a worse choice than a later one.
    end = len(text) - len(last)
    position = len(first)
    for piece in middle:
        position = _find(text, piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return _same(text, last, end)


def _find(text: str, piece: str, start: int, end: int) -> int:
    if "?" not in piece:
        return text.find(piece, start, end)
    return next((at for at in range(start, end - len(piece) + 1) if _same(text, piece, at)), -1)


def _same(text: str, piece: str, at: int) -> bool:
    if "?" not in piece:
        return text.startswith(piece, at)
    return all(wanted in ("?", found) for wanted, found in zip(piece, text[at : at + len(piece)], strict=True))
