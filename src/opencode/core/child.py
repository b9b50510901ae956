"""Starts a child process and tells when it ends, with its pipes as asyncio streams.

Not ``asyncio.create_subprocess_exec``: on uvloop that forks the whole server, which takes several times as long as
the ``vfork`` of ``subprocess.Popen``, and it cannot close a pipe that a background process still holds.
"""

import asyncio
import errno
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

import anyio

STREAM_LIMIT_BYTES = 1024 * 1024
"""The longest line that ``readline`` takes; twice as much is buffered before the child has to wait."""


class LoopPipe:
    """Our end of a pipe, to be handed to the event loop, which closes it.

    asyncio closes the object it was given; uvloop closes the descriptor and then the object too. Between the two a
    thread may have got the same number for a file of its own, so on uvloop closing the object must do nothing.
    """

    def __init__(self, pipe: IO[bytes], loop: asyncio.AbstractEventLoop) -> None:
        # A copy: the pipe's own object closes its descriptor for good, here and never again.
        self._descriptor = os.dup(pipe.fileno())
        pipe.close()
        self._loop_closes = type(loop).__module__.startswith("uvloop")

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        if not self._loop_closes:
            os.close(self._descriptor)


class Child:
    """A started process; the leader of its own session. ``exit_code`` is negative for a signal."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self.pid = popen.pid
        self.exit_code: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._popen = popen
        self._ended = anyio.Event()
        self._transports: list[asyncio.BaseTransport] = []

    async def connect(self) -> None:
        """Attach the pipes and the end of the process to the running event loop."""
        _on_exit(self._popen, self._note_exit)
        if self._popen.stdin is not None:
            self.stdin = await self._writer(self._popen.stdin)
        if self._popen.stdout is not None:
            self.stdout = await self._reader(self._popen.stdout)
        if self._popen.stderr is not None:
            self.stderr = await self._reader(self._popen.stderr)

    async def wait(self) -> int:
        """The exit code, once the process itself has ended; its children may still hold the pipes."""
        await self._ended.wait()
        assert self.exit_code is not None
        return self.exit_code

    def close(self) -> None:
        """Close our ends of the pipes."""
        for transport in self._transports:
            transport.close()

    def _note_exit(self) -> None:
        self.exit_code = self._popen.wait()
        self._ended.set()

    async def _reader(self, pipe: IO[bytes]) -> asyncio.StreamReader:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=STREAM_LIMIT_BYTES, loop=loop)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader, loop=loop), LoopPipe(pipe, loop)
        )
        self._transports.append(transport)
        return reader

    async def _writer(self, pipe: IO[bytes]) -> asyncio.StreamWriter:
        loop = asyncio.get_running_loop()
        # The reader is never read: its protocol is the one that knows how to wait for a full pipe.
        unused = asyncio.StreamReader(loop=loop)
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(unused, loop=loop), LoopPipe(pipe, loop)
        )
        self._transports.append(transport)
        return asyncio.StreamWriter(transport, protocol, None, loop)


async def start_child(
    argv: Sequence[str], *, cwd: str, env: Mapping[str, str], stdin: int, stdout: int, stderr: int
) -> Child:
    """Start a process in its own session. Raises ``OSError``. The caller shields it from cancellation."""
    try:
        popen = subprocess.Popen(  # noqa: ASYNC220 (does not wait for the child)
            list(argv), cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0, start_new_session=True
        )
    except ValueError as error:  # what no system takes, such as a NUL in an argument
        raise OSError(errno.EINVAL, str(error)) from error
    child = Child(popen)
    await child.connect()
    return child


def _on_exit(popen: "subprocess.Popen[bytes]", callback: Callable[[], None]) -> None:
    """Call back on the event loop when the process has ended and can be waited for without blocking."""
    loop = asyncio.get_running_loop()
    try:
        pidfd = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):
        # macOS, and Linux before 5.3: a thread that waits, as asyncio does it there.
        _wait_in_thread(popen, lambda: loop.call_soon_threadsafe(callback))
        return

    def ended() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        callback()

    loop.add_reader(pidfd, ended)


def _wait_in_thread(popen: "subprocess.Popen[bytes]", callback: Callable[[], object]) -> None:
    def wait() -> None:
        popen.wait()
        # The loop may be closed by now: then nobody waits any more.
        with suppress(RuntimeError):
            callback()

    threading.Thread(target=wait, name=f"wait for {popen.pid}", daemon=True).start()
