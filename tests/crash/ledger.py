"""What the clients of a server that is killed again and again know: what was acknowledged, and what only tried."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

DIED: tuple[type[Exception], ...] = (httpx2.TransportError, AttributeError)
"""What a request meets whose server dies; the second while it connects (anyio asks a closed socket for its peer)."""

Json = dict[str, Any]


@dataclass
class SeenEvent:
    """One event of the stream. Without a number: sent again after a pause, or the present state of something."""

    seq: int | None
    id: str
    type: str


class Cell:
    """A value that clients set, several at a time: what it may be, given what was acknowledged."""

    def __init__(self, value: str | None = None) -> None:
        self.possible: set[str | None] = {value}
        self._under_way: dict[str, set[str | None]] = {}

    def tried(self, value: str) -> None:
        """A request to set it is about to be sent. What was settled before it is over once it is acknowledged."""
        self._under_way[value] = self.possible - self._under_way.keys()
        self.possible.add(value)

    def acknowledged(self, value: str) -> None:
        self.possible -= self._under_way.pop(value)

    def rest(self) -> None:
        """The server is dead: nothing is under way."""
        self._under_way.clear()


@dataclass
class Ledger:
    """Everything that must still be there after the next kill."""

    sessions: dict[str, Cell] = field(default_factory=dict)
    """Sessions with their titles."""
    deleting: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    prompts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By message id: the session and the words."""
    answers: dict[str, Json] = field(default_factory=dict)
    """Messages that were the answer to a prompt, by id."""
    settled: set[str] = field(default_factory=set)
    """Requests for permission and questions whose reply was acknowledged."""
    told: dict[str, Json] = field(default_factory=dict)
    """Questions that were answered, by their id."""
    username: Cell = field(default_factory=Cell)
    """A setting."""
    keys: dict[str, Cell] = field(default_factory=dict)
    """Credentials of providers."""
    aborted: set[str] = field(default_factory=set)
    """Sessions that somebody has stopped once."""
    events: list[SeenEvent] = field(default_factory=list)
    cursor: str | None = None
    acknowledged: int = 0

    def known(self) -> list[str]:
        """Sessions that nobody has tried to delete."""
        return [session for session in self.sessions if session not in self.deleting]

    def rest(self) -> None:
        """The server is dead: every request has ended, one way or the other."""
        for cell in (self.username, *self.sessions.values(), *self.keys.values()):
            cell.rest()
