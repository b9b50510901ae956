"""Reads what a process prints until it has ended and everything is read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

QUIET_SECONDS = 0.1
"""After the process ended, a pipe that something in the background holds open counts as read when quiet this long."""
DRAIN_SECONDS = 2
"""And when it never becomes quiet, this long after the end."""
_CHUNK_BYTES = 64 * 1024


class Waitable(Protocol):
    """A process, as far as reading goes."""

    async def wait(self) -> int: ...


class OutputReader:
    """Hands on the bytes of one pipe as they come."""

    def __init__(self, stream: asyncio.StreamReader, on_chunk: Callable[[bytes], Awaitable[None]]) -> None:
        self._stream = stream
        self._on_chunk = on_chunk
        self._chunks = 0
        self._is_waiting = False
        self.ended = anyio.Event()

    async def run(self) -> None:
        """Read to the end of the pipe."""
        while chunk := await self._next():
            self._chunks += 1
            await self._on_chunk(chunk)
        self.ended.set()

    async def until_quiet(self) -> None:
        """Return at the end of the pipe, or when nothing came for a while."""
        while not self.ended.is_set():
            before = self._chunks
            with anyio.move_on_after(QUIET_SECONDS):
                await self.ended.wait()
            if self._is_waiting and self._chunks == before:
                return

    async def _next(self) -> bytes:
        self._is_waiting = True
        try:
            return await self._stream.read(_CHUNK_BYTES)
        finally:
            self._is_waiting = False


async def read_to_exit(process: Waitable, *readers: OutputReader) -> int:
    """Run the readers until the process has ended and its output is read; the exit code.

    A child that it left in the background may hold the pipes open for ever: that is not waited for.
    """
    async with anyio.create_task_group() as tasks:
        for reader in readers:
            tasks.start_soon(reader.run)
        exit_code = await process.wait()
        with anyio.move_on_after(DRAIN_SECONDS):
            for reader in readers:
                await reader.until_quiet()
        tasks.cancel_scope.cancel()
    return exit_code
