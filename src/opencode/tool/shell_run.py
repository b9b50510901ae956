"""Runs one shell command and hands on what it prints, for the ``bash`` tool and for the person's own commands."""

import codecs
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import anyio

from opencode.core.process import RunningProcess, start_process
from opencode.core.process_output import OutputReader, read_to_exit
from opencode.tool.shell_choice import login_argv
from opencode.tool.shell_live import LiveReports

KILL_GRACE_SECONDS = 0.2
KEPT_CHARACTERS = 1_000_000
"""What is kept of the output of a person's own command: the end."""

OnText = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ShellResult:
    """How it ended. ``exit_code``: None when the timeout stopped it; negative for a signal."""

    output: str
    exit_code: int | None


async def run_shell(
    command: str,
    *,
    shell: str,
    cwd: str | PathLike[str],
    env: Mapping[str, str],
    on_output: OnText,
    timeout_seconds: float | None = None,
) -> ShellResult:
    """Run a command as the person would in a terminal, with their start-up files; ``TERM`` is ``dumb``.

    ``on_output`` gets all of the output so far, about ten times a second at most, and the last of it in any case,
    cancellation included. Raises ``OSError`` when the shell cannot be started.
    """
    output = ""

    async def keep(text: str) -> None:
        nonlocal output
        output = (output + text)[-KEPT_CHARACTERS:]
        live.changed()

    live = LiveReports(lambda: on_output(output))
    async with live.running():
        exit_code = await stream_shell(
            login_argv(shell, command),
            cwd=cwd,
            env={**env, "TERM": "dumb"},
            on_text=keep,
            timeout_seconds=timeout_seconds,
        )
    return ShellResult(output, exit_code)


async def stream_shell(
    argv: Sequence[str],
    *,
    cwd: str | PathLike[str],
    env: Mapping[str, str],
    on_text: OnText,
    timeout_seconds: float | None = None,
) -> int | None:
    """Run a shell without input; ``on_text`` gets each piece of output and errors, as one text. The exit code.

    None means that the timeout stopped it. On timeout and on cancellation everything it started is gone within a
    second. A command that ends by itself may leave others in the background; they end with the owner of the
    environment (``core/process.py``). Raises ``OSError`` when the shell cannot be started.
    """
    async with start_process(
        argv, cwd=cwd, env=env, stderr="stdout", grace_seconds=KILL_GRACE_SECONDS, keep_background=True
    ) as process:
        with anyio.move_on_after(timeout_seconds):
            return await _read_to_end(process, on_text)
        await process.stop(KILL_GRACE_SECONDS)
        return None


async def _read_to_end(process: RunningProcess, on_text: OnText) -> int:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def pass_on(data: bytes, *, final: bool = False) -> None:
        if text := decoder.decode(data, final):
            await on_text(text)

    exit_code = await read_to_exit(process, OutputReader(process.stdout, pass_on))
    await pass_on(b"", final=True)
    return exit_code
