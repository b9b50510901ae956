"""One writer at a time per file."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio


@dataclass(slots=True)
class _Entry:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    users: int = 0


class FileLocks:
    """A lock per real file: two paths that lead to one file share it. Unused ones are forgotten."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    @asynccontextmanager
    async def hold(self, *paths: Path) -> AsyncIterator[None]:
        """Hold the locks of all the paths; taken in one order everywhere, so two holders cannot block each other."""
        async with AsyncExitStack() as stack:
            for key in sorted({os.path.realpath(path) for path in paths}):
                await stack.enter_async_context(self._one(key))
            yield

    @asynccontextmanager
    async def _one(self, key: str) -> AsyncIterator[None]:
        entry = self._entries.setdefault(key, _Entry())
        entry.users += 1
        try:
            async with entry.lock:
                yield
        finally:
            entry.users -= 1
            if not entry.users:
                del self._entries[key]
