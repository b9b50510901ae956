"""The guard against blind overwrites: what a session has not read, it may not overwrite (spec: file tools, 1)."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from opencode.core.clock import Clock, iso_utc
from opencode.core.ids import SessionID
from opencode.file.disk import FileStamp, stamp_of
from opencode.tool.tool import ToolContext, ToolError

LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: FileStamp
    at_ms: int


class FileTimes:
    """Which state of which file each session knows, because it read or wrote it.

    States are told apart by modification time and size, not by comparing two clocks. The oldest of more than
    ``LIMIT`` entries are forgotten, which at worst costs another read.
    """

    def __init__(self, clock: Clock, *, enabled: bool = True, limit: int = LIMIT) -> None:
        self._clock = clock
        self._enabled = enabled
        self._limit = limit
        self._seen: OrderedDict[tuple[SessionID, str], _Seen] = OrderedDict()

    def record(self, session_id: SessionID, path: Path, stamp: FileStamp) -> None:
        """The session knows the file in this state."""
        if not self._enabled:
            return
        key = (session_id, os.path.realpath(path))
        self._seen[key] = _Seen(stamp, self._clock.now_ms())
        self._seen.move_to_end(key)
        while len(self._seen) > self._limit:
            self._seen.popitem(last=False)

    def record_now(self, session_id: SessionID, path: Path) -> None:
        """The session knows the file as it is now: it has just written it."""
        stamp = stamp_of(path) if self._enabled else None
        if stamp is not None:
            self.record(session_id, path, stamp)

    def check(self, session_id: SessionID, path: Path, stamp: FileStamp) -> None:
        """Raises ``ToolError`` unless the session knows the file in this state."""
        if not self._enabled:
            return
        seen = self._seen.get((session_id, os.path.realpath(path)))
        if seen is None:
            raise ToolError(f"You must read the file before you change it. Use the read tool first: {path}")
        if seen.stamp != stamp:
            raise ToolError(
                f"File {path} has been modified since you last read it.\n"
                f"Last modification: {iso_utc(stamp.modified_ms)}\nLast read: {iso_utc(seen.at_ms)}\n\n"
                "Read the file again before you change it."
            )

    async def require(self, context: ToolContext, path: Path, stamp: FileStamp) -> None:
        """As ``check`` for the session of a call; a rule that denies the change is told instead of what to do first."""
        try:
            self.check(context.session_id, path, stamp)
        except ToolError:
            await context.ask("edit", patterns=context.names(path), rules_only=True)
            raise

    def forget_session(self, session_id: SessionID) -> None:
        """Drop what is known about a session that was deleted."""
        for key in [key for key in self._seen if key[0] == session_id]:
            del self._seen[key]
