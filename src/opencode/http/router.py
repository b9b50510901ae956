"""Finds the operation of a method and path: a dictionary for fixed paths, a tree of segments for the others."""

from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

Found = tuple[T, dict[str, str]]


class _Node(Generic[T]):
    """One segment of the tree; fixed segments win over a parameter."""

    __slots__ = ("fixed", "parameter", "targets")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.targets: dict[str, tuple[T, tuple[str, ...]]] = {}


class Router(Generic[T]):
    """Routes by method and path template (``/session/{sessionID}``) to targets of any kind."""

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._fixed: dict[tuple[str, str], T] = {}
        self._root: _Node[T] = _Node()
        for method, path, target in routes:
            self._add(method, path, target)

    def _add(self, method: str, path: str, target: T) -> None:
        node = self._root
        names = []
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node = node.parameter or _Node()
            else:
                node = node.fixed.setdefault(segment, _Node())
        if method in node.targets:
            raise ValueError(f"{method} {path} is declared twice")
        node.targets[method] = (target, tuple(names))
        if not names:
            self._fixed[(method, path)] = target

    def find(self, method: str, raw_path: str) -> Found[T] | None:
        """The target and its decoded path parameters, or ``None``.

        ``raw_path`` is percent-encoded, so a parameter may hold an encoded slash. One trailing slash is ignored;
        ``HEAD`` finds what ``GET`` does.
        """
        if method == "HEAD":
            method = "GET"
        if len(raw_path) > 1 and raw_path.endswith("/"):
            raw_path = raw_path[:-1]
        target = self._fixed.get((method, raw_path))
        if target is not None:
            return target, {}
        values: list[str] = []
        entry = self._descend(self._root, raw_path.split("/")[1:], 0, method, values)
        if entry is None:
            return None
        target, names = entry
        return target, {name: unquote(value) for name, value in zip(names, values, strict=True)}

    def _descend(
        self, node: _Node[T], segments: list[str], depth: int, method: str, values: list[str]
    ) -> tuple[T, tuple[str, ...]] | None:
        if depth == len(segments):
            return node.targets.get(method)
        segment = segments[depth]
        fixed = node.fixed.get(segment)
        if fixed is not None and (entry := self._descend(fixed, segments, depth + 1, method, values)) is not None:
            return entry
        if node.parameter is None or not segment:
            return None
        values.append(segment)
        entry = self._descend(node.parameter, segments, depth + 1, method, values)
        if entry is None:
            values.pop()
        return entry
