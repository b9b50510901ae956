"""Identifiers: their types, their layout, and the generator (spec: ids and storage, section 1)."""

import os
import re
import secrets
import threading
from typing import Annotated, Literal, NewType

from msgspec import Meta

from opencode.core.clock import Clock

SessionID = NewType("SessionID", Annotated[str, Meta(pattern="^ses")])
MessageID = NewType("MessageID", Annotated[str, Meta(pattern="^msg")])
PartID = NewType("PartID", Annotated[str, Meta(pattern="^prt")])
PermissionID = NewType("PermissionID", Annotated[str, Meta(pattern="^per")])
QuestionID = NewType("QuestionID", Annotated[str, Meta(pattern="^que")])
PtyID = NewType("PtyID", Annotated[str, Meta(pattern="^pty")])
EventID = NewType("EventID", Annotated[str, Meta(pattern="^evt_")])
WorkspaceID = NewType("WorkspaceID", Annotated[str, Meta(pattern="^wrk")])
ProjectID = NewType("ProjectID", str)
ProviderID = NewType("ProviderID", str)
ModelID = NewType("ModelID", str)

Prefix = Literal["ses", "msg", "prt", "per", "que", "pty", "tool", "evt", "wrk", "job"]

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TAIL = bytes(ord(BASE62[byte % 62]) for byte in range(256))
"""The base62 character of each random byte."""
_TAIL_LENGTH = 14
_TAILS_AT_ONCE = 64
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MASK = (1 << 48) - 1
_STAMPED = re.compile(r"(?P<before>.*)(?P<stamp>[0-9a-f]{12})[0-9A-Za-z]{14}", re.DOTALL)


class IdGenerator:
    """Makes ids ``<prefix>_<12 hex digits><14 base62 characters>``, strictly monotonic and thread-safe.

    The hex digits are the low 48 bits of ``unix_ms * 4096 + counter``, complemented for sessions so that the
    newest sorts first. They wrap every 2^36 ms (2026-08-14, 2028-10-17), so ids of different times say nothing
    about order; the server orders by time and sequence.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0
        self._tails = ""

    def session(self) -> SessionID:
        """A session id; later ones sort before earlier ones."""
        return SessionID(self._make("ses", descending=True))

    def message(self, after: str | None = None) -> MessageID:
        """A message id; greater than ``after``, whatever clock that was made with."""
        return MessageID(_beyond(self._make("msg"), after))

    def part(self, after: str | None = None) -> PartID:
        """A part id; greater than ``after``, whatever clock that was made with."""
        return PartID(_beyond(self._make("prt"), after))

    def permission(self) -> PermissionID:
        return PermissionID(self._make("per"))

    def question(self) -> QuestionID:
        return QuestionID(self._make("que"))

    def event(self) -> EventID:
        return EventID(self._make("evt"))

    def tool_output(self) -> str:
        """The file name of a saved tool output."""
        return self._make("tool")

    def call(self) -> str:
        """A ULID, for tool calls that the server makes itself."""
        value = (self._clock.now_ms() << 80) | secrets.randbits(80)
        return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))

    def _make(self, prefix: Prefix, *, descending: bool = False) -> str:
        with self._lock:
            # The counter starts at 1 in each millisecond and carries into the next when it overflows.
            self._last = value = max(self._clock.now_ms() * 4096 + 1, self._last + 1)
            # Asking the system for randomness costs as much as all the rest.
            tails = self._tails or os.urandom(_TAIL_LENGTH * _TAILS_AT_ONCE).translate(_TAIL).decode()
            tail, self._tails = tails[:_TAIL_LENGTH], tails[_TAIL_LENGTH:]
        stamp = (~value if descending else value) & _MASK
        return f"{prefix}_{stamp:012x}{tail}"


def _beyond(candidate: str, floor: str | None) -> str:
    """The candidate, or the next id after ``floor`` when the candidate does not sort after it."""
    if floor is None or candidate > floor:
        return candidate
    stamped = _STAMPED.fullmatch(floor)
    if stamped is not None and (stamp := int(stamped["stamp"], 16)) < _MASK:
        return f"{stamped['before']}{stamp + 1:012x}{candidate[-_TAIL_LENGTH:]}"
    # A client's own spelling: what begins with it sorts after it, and has a stamp for the ids that follow.
    return floor + candidate.partition("_")[2]
