"""One record of another program, wherever it keeps it, and where to look for more of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON value. ``place``: what to call it in a report; ``fault``: why there is no value."""

    place: str
    value: Any = None
    fault: str | None = None


class Source(Protocol):
    """Records that are read and never written. Whatever cannot be read is a record with a fault."""

    @property
    def name(self) -> str:
        """What to call it in a report."""
        ...

    def projects(self) -> Iterator[Record]: ...

    def sessions(self) -> Iterator[Record]: ...

    def messages(self, session_id: str) -> Iterator[tuple[Record, list[Record]]]:
        """A session's messages with their parts, oldest first."""
        ...

    def todos(self, session_id: str) -> Record | None: ...

    def saved_permissions(self) -> int:
        """How many projects have permissions that were given for good."""
        ...


def parsed(place: str, text: bytes | str) -> Record:
    """The record that a text holds."""
    try:
        return Record(place, msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Record(place, fault=f"no JSON: {error}")
