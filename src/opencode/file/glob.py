"""Globs as ripgrep understands them, for paths relative to the directory searched (``/`` between parts).

``*`` and ``?`` stay within a name, ``**`` crosses directories, ``[...]`` is a set, ``{a,b}`` are alternatives; a
glob without ``/`` is about the name at any depth; ``!`` in front excludes.
"""

import re
from collections.abc import Sequence

from opencode.file.errors import InvalidPattern

MAX_ALTERNATIVES = 1000


class GlobFilter:
    """Which paths a list of globs lets through: any positive one (all when there is none) and no negative one."""

    def __init__(self, globs: Sequence[str]) -> None:
        globs = [normal_glob(glob) for glob in globs]
        self.positive = [glob for glob in globs if not glob.startswith("!")]
        self.negative = [glob[1:] for glob in globs if glob.startswith("!")]
        self._wanted = _compiled(self.positive) if self.positive else None
        self._excluded = _compiled(self.negative) if self.negative else None

    @property
    def is_catch_all(self) -> bool:
        """Whether a positive glob ends in a name made of wildcards alone, so that it names nothing in particular."""
        return any(not glob.rstrip("/").rsplit("/", 1)[-1].strip("*?") for glob in self.positive)

    def wants(self, path: str) -> bool:
        """Whether the file is let through."""
        return self._wanted is None or self._wanted.fullmatch(path) is not None

    def excludes(self, path: str) -> bool:
        """Whether a file or a directory is excluded; with a directory, all that is in it."""
        return self._excluded is not None and self._excluded.fullmatch(path) is not None


def normal_glob(glob: str) -> str:
    """The glob without ``./`` in front, which ripgrep would look for literally."""
    mark, rest = ("!", glob[1:]) if glob.startswith("!") else ("", glob)
    return mark + re.sub(r"^(\./)+", "", rest)


def _compiled(globs: Sequence[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join(_regex(one) for glob in globs for one in _alternatives(glob)))
    except re.error as error:
        raise InvalidPattern(f"error parsing glob: {error}") from error


def _alternatives(glob: str) -> list[str]:
    """The glob with its braces multiplied out. Raises ``InvalidPattern`` when they do not pair or are too many."""
    done: list[str] = []
    todo = [glob]
    while todo:
        current = todo.pop()
        span = _innermost_braces(current)
        if span is None:
            done.append(current)
            continue
        start, end = span
        todo += [current[:start] + option + current[end + 1 :] for option in current[start + 1 : end].split(",")]
        if len(done) + len(todo) > MAX_ALTERNATIVES:
            raise InvalidPattern(f"error parsing glob '{glob}': too many alternatives")
    return done


def _innermost_braces(glob: str) -> tuple[int, int] | None:
    start: int | None = None
    at = 0
    while at < len(glob):
        char = glob[at]
        if char == "\\":
            at += 1
        elif char == "[":
            at = _end_of_set(glob, at)
        elif char == "{":
            start = at
        elif char == "}":
            if start is None:
                raise InvalidPattern(f"error parsing glob '{glob}': unopened alternate group")
            return start, at
        at += 1
    if start is not None:
        raise InvalidPattern(f"error parsing glob '{glob}': unclosed alternate group")
    return None


def _end_of_set(glob: str, start: int) -> int:
    """Where the ``]`` of the set that opens at ``start`` stands; a ``]`` right after ``[`` or ``[!`` is a member."""
    at = start + 1
    if glob[at : at + 1] in ("!", "^"):
        at += 1
    end = glob.find("]", at + 1)
    if end < 0:
        raise InvalidPattern(f"error parsing glob '{glob}': unclosed character class")
    return end


def _regex(glob: str) -> str:
    """A regular expression for the whole path."""
    anchored = "/" in glob.rstrip("/")
    glob = glob.strip("/")
    out = [] if anchored else ["(?:.*/)?"]
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            out.append("(?:.*/)?")
            at += 3
        elif glob.startswith("**", at) and at + 2 == len(glob) and (at == 0 or glob[at - 1] == "/"):
            out.append(".*")
            at += 2
        elif glob[at] == "*":
            out.append("[^/]*")
            at += 1
        elif glob[at] == "?":
            out.append("[^/]")
            at += 1
        elif glob[at] == "[":
            end = _end_of_set(glob, at)
            out.append(_set(glob[at + 1 : end]))
            at = end + 1
        else:
            at += glob[at] == "\\" and at + 1 < len(glob)
            out.append(re.escape(glob[at]))
            at += 1
    return f"(?s:{''.join(out)})"


def _set(members: str) -> str:
    negated = members[0] in "!^"
    inner = re.sub(r"([\\\[\]^&~|])", r"\\\1", members[negated:])
    return f"(?!/)[{'^' if negated else ''}{inner}]"
