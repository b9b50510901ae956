"""Paths ranked by how well they fit what somebody typed (spec: files and search, 5)."""

import re
from collections.abc import Sequence

Rank = tuple[int, int, int, int, int]

_EXACT, _PREFIX, _IN_NAME, _IN_PATH, _INITIALS, _SCATTERED = range(6)
_WORD_START = re.compile(r"(?:^|(?<=[/\-_. ]))[^/\-_. ]|(?<=[a-z0-9])[A-Z]")


def best_matches(query: str, paths: Sequence[str], limit: int) -> list[str]:
    """The best of the paths in which every word of the query is found, in any order, regardless of case.

    A word fits best as the whole name, then at its start, within it, within the path, as first letters of words,
    and last as letters with gaps; then what stands earlier, has smaller gaps and is shorter.
    """
    words = query.lower().split()
    if not words:
        return list(paths[:limit])
    scattered = [re.compile("".join(f"[^{re.escape(char)}]*{re.escape(char)}" for char in word)) for word in words]
    ranked: list[tuple[Rank, int]] = []
    for number, path in enumerate(paths):
        lower = path.lower()
        if all(regex.match(lower) for regex in scattered):
            ranked.append((_rank(words, path, lower), number))
    return [paths[number] for _, number in sorted(ranked)[:limit]]


def _rank(words: Sequence[str], path: str, lower: str) -> Rank:
    """How well the words fit together; smaller is better."""
    fits = [_fit(word, path, lower) for word in words]
    kinds, starts, gaps = zip(*fits, strict=True)
    return max(kinds), sum(kinds), sum(gaps), sum(starts), len(path)


def _fit(word: str, path: str, lower: str) -> tuple[int, int, int]:
    """The kind of fit, where it starts, and how many other letters are in between."""
    whole = lower.rstrip("/")
    name_at = whole.rfind("/") + 1
    name = whole[name_at:]
    if name == word:
        return _EXACT, 0, 0
    if name.startswith(word):
        return _PREFIX, 0, 0
    in_name = name.find(word)
    if in_name >= 0:
        return _IN_NAME, in_name, 0
    in_path = lower.find(word)
    if in_path >= 0:
        return _IN_PATH, in_path, 0
    initials = "".join(match[0] for match in _WORD_START.finditer(path)).lower()
    if word in initials:
        return _INITIALS, initials.find(word), 0
    return _SCATTERED, *_narrowest(word, lower)


def _narrowest(word: str, lower: str) -> tuple[int, int]:
    """Where the shortest stretch that holds the letters in order starts, and how many others it holds."""
    best = (0, len(lower))
    start = lower.find(word[0])
    while start >= 0:
        end = start
        for char in word[1:]:
            end = lower.find(char, end + 1)
            if end < 0:
                return best
        gaps = end + 1 - start - len(word)
        if gaps < best[1]:
            best = (start, gaps)
        start = lower.find(word[0], start + 1)
    return best
