"""Child processes that end with the block that started them, whatever they did to get away."""

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from os import PathLike
from typing import Literal, TypeVar

import anyio

from opencode.core.child import Child, start_child
from opencode.core.process_output import OutputReader, read_to_exit
from opencode.core.process_tree import MARK, end_marked, end_tree, group_exists, is_carried

GRACE_SECONDS = 0.2
"""Time between SIGTERM and SIGKILL."""
OUTPUT_LIMIT_BYTES = 32 * 1024 * 1024

S = TypeVar("S")
Pipe = Literal["pipe", "null"]
_TARGET: dict[str, int] = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL, "stdout": subprocess.STDOUT}


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended. ``exit_code`` is negative for a signal; ``truncated``: output past the limit was dropped."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


class RunningProcess:
    """A child with its streams; ``stdin``, ``stdout`` and ``stderr`` exist when they were asked for as pipes."""

    def __init__(self, child: Child, mark: str) -> None:
        self._child = child
        self._mark = mark

    @property
    def pid(self) -> int:
        """The process id, which is also its group and its session."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._child.exit_code

    @property
    def stdin(self) -> asyncio.StreamWriter:
        return _present(self._child.stdin, "stdin")

    @property
    def stdout(self) -> asyncio.StreamReader:
        return _present(self._child.stdout, "stdout")

    @property
    def stderr(self) -> asyncio.StreamReader:
        return _present(self._child.stderr, "stderr")

    async def wait(self) -> int:
        """The exit code, once the process itself has ended; its children may still hold the pipes."""
        return await self._child.wait()

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """End the process and every descendant: SIGTERM, the grace, SIGKILL. Not interruptible, bounded."""
        with anyio.CancelScope(shield=True):
            await end_tree(self.pid, self._mark, grace_seconds)
            with anyio.move_on_after(1):
                await self._child.wait()

    async def _leave(self, *, aborted: bool, grace_seconds: float, keep_background: bool) -> None:
        """Leave the block: nothing survives, except what a finished command put in the background, if wanted."""
        if aborted or self.exit_code is None or (not keep_background and group_exists(self.pid)):
            await self.stop(grace_seconds)
        # Closes our ends of the pipes, which a survivor may hold open on its side.
        self._child.close()


@asynccontextmanager
async def owned_environment(env: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
    """An environment for commands that may leave others in the background: all of those end with this block."""
    mark = secrets.token_hex(8)
    try:
        yield marked(env, mark)
    finally:
        with anyio.CancelScope(shield=True):
            await end_marked(mark, GRACE_SECONDS)


async def still_run(env: Mapping[str, str]) -> bool:
    """Whether something runs that was started with an environment of ``owned_environment``."""
    return await is_carried(env[MARK].rpartition("/")[2])


@asynccontextmanager
async def start_process(
    argv: Sequence[str],
    *,
    cwd: str | PathLike[str],
    env: Mapping[str, str],
    stdin: Pipe = "null",
    stdout: Pipe = "pipe",
    stderr: Pipe | Literal["stdout"] = "pipe",
    grace_seconds: float = GRACE_SECONDS,
    keep_background: bool = False,
) -> AsyncIterator[RunningProcess]:
    """Run a command in its own session for as long as the block lasts.

    Leaving the block, by any way, ends what is left: the process group always; on cancellation, error or an early
    exit also descendants that made their own group or session or were re-parented, which are found by their
    parents and by an environment variable that all of them inherit. ``keep_background`` leaves alone what a
    command that ended by itself put in the background. Raises ``OSError`` when it cannot be started.
    """
    mark = secrets.token_hex(8)
    # Not interruptible: a cancellation in the middle would leave a child that nobody knows of.
    with anyio.CancelScope(shield=True):
        child = await start_child(
            argv,
            cwd=os.fspath(cwd),
            env=marked(env, mark),
            stdin=_TARGET[stdin],
            stdout=_TARGET[stdout],
            stderr=_TARGET[stderr],
        )
    running = RunningProcess(child, mark)
    aborted = True
    try:
        yield running
        aborted = False
    finally:
        await running._leave(aborted=aborted, grace_seconds=grace_seconds, keep_background=keep_background)


def marked(env: Mapping[str, str], mark: str) -> dict[str, str]:
    """The environment with one more mark, by which all who inherit it are found."""
    return {**env, MARK: f"{env[MARK]}/{mark}" if env.get(MARK) else mark}


async def run_process(
    argv: Sequence[str],
    *,
    cwd: str | PathLike[str],
    env: Mapping[str, str],
    stdin: bytes | None = None,
    timeout_seconds: float | None = None,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
) -> Completed:
    """Run a command to its end and give back what it printed; at most the limit of each stream is kept.

    A non-zero exit code is not an error here. Raises ``TimeoutError`` (everything is stopped by then) and
    ``OSError`` when the command cannot be started.
    """
    with anyio.fail_after(timeout_seconds):
        async with start_process(argv, cwd=cwd, env=env, stdin="null" if stdin is None else "pipe") as process:
            return await _communicate(process, stdin, output_limit_bytes)


async def _communicate(process: RunningProcess, stdin: bytes | None, limit: int) -> Completed:
    out, err = _Kept(limit), _Kept(limit)
    async with anyio.create_task_group() as tasks:
        if stdin is not None:
            tasks.start_soon(_send, process.stdin, stdin)
        exit_code = await read_to_exit(
            process, OutputReader(process.stdout, out.add), OutputReader(process.stderr, err.add)
        )
        tasks.cancel_scope.cancel()
    return Completed(exit_code, bytes(out.data), bytes(err.data), out.truncated or err.truncated)


async def _send(stream: asyncio.StreamWriter, data: bytes) -> None:
    # A command need not read all of its input; uvloop says RuntimeError when the pipe is closed already.
    with suppress(ConnectionError, RuntimeError):
        stream.write(data)
        await stream.drain()
    stream.close()


class _Kept:
    """The first ``limit`` bytes; the rest is dropped, so that the writer never blocks."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.truncated = False
        self._limit = limit

    async def add(self, chunk: bytes) -> None:
        room = self._limit - len(self.data)
        self.data += chunk[:room]
        self.truncated = self.truncated or len(chunk) > room


def _present(stream: S | None, name: str) -> S:
    if stream is None:
        raise ValueError(f"{name} was not asked for as a pipe")
    return stream
