"""The growing parts of every open directory, for clients that missed some of their deltas."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opencode.event.schema import Event, EventScope

if TYPE_CHECKING:
    from opencode.loop.open_parts import OpenParts


class LiveParts:
    """Knows the growing parts of each open directory."""

    def __init__(self) -> None:
        self._by_directory: dict[str, tuple[EventScope, OpenParts]] = {}

    @contextmanager
    def include(self, scope: EventScope, parts: "OpenParts") -> Iterator[None]:
        """Count a directory's parts in for as long as the block lasts."""
        self._by_directory[scope.directory] = (scope, parts)
        try:
            yield
        finally:
            del self._by_directory[scope.directory]

    def events(self, directory: str | None) -> Iterable[tuple[EventScope, Event]]:
        """``message.part.updated`` of each growing part, of one directory or of all."""
        for scope, parts in list(self._by_directory.values()):
            if directory in (None, scope.directory):
                yield from ((scope, event) for event in parts.current_events())
