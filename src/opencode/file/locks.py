"""One writer at a time per file."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from opencode.core.keyed_locks import KeyedLocks


class FileLocks:
    """A lock per real file: two paths that lead to one file share it."""

    def __init__(self) -> None:
        self._locks: KeyedLocks[str] = KeyedLocks()

    @asynccontextmanager
    async def hold(self, *paths: Path) -> AsyncIterator[None]:
        """Hold the locks of all the paths; taken in one order everywhere, so two holders cannot block each other."""
        async with AsyncExitStack() as stack:
            for real in sorted({os.path.realpath(path) for path in paths}):
                await stack.enter_async_context(self._locks.hold(real))
            yield
