"""One at a time in each session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from opencode.core.ids import SessionID


@dataclass(slots=True)
class _Entry:
    # Whoever finds it free goes on at once.
    lock: anyio.Lock = field(default_factory=lambda: anyio.Lock(fast_acquire=True))
    users: int = 0


class SessionLocks:
    """A lock per session; unused ones are forgotten."""

    def __init__(self) -> None:
        self._entries: dict[SessionID, _Entry] = {}

    @asynccontextmanager
    async def hold(self, session_id: SessionID) -> AsyncIterator[None]:
        """Wait for those who hold the session, then hold it."""
        entry = self._entries.setdefault(session_id, _Entry())
        entry.users += 1
        try:
            async with entry.lock:
                yield
        finally:
            entry.users -= 1
            if not entry.users:
                del self._entries[session_id]
