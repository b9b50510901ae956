"""The real ``opencode serve`` as a child process, in a home of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

OPENCODE = str(Path(sys.executable).with_name("opencode"))
LISTENING = "opencode server listening on "
START_SECONDS = 20


@dataclass
class Home:
    """The directories of one user, below one temporary directory."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / ".local/share/opencode"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the real user's: no credentials, no configuration, no network look-ups."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        quiet = {"HOME": str(self.root), "OPENCODE_DISABLE_MODELS_FETCH": "1", "PYTHONUNBUFFERED": "1"}
        return {**kept, **quiet, **self.variables}


class ServerProcess:
    """A started server. ``url`` is where it listens."""

    def __init__(self, process: Process, url: str, printed: list[str]) -> None:
        self._process = process
        self.url = url
        self.printed = printed
        """The lines it printed before and with its address."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def kill(self) -> None:
        """End it as a crash does: nothing is cleaned up."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        with anyio.fail_after(10):
            return await self._process.wait()


@asynccontextmanager
async def server_process(
    home: Home, directory: Path, *arguments: str, command: str = "serve", program: str = OPENCODE
) -> AsyncIterator[ServerProcess]:
    """A server that works in ``directory``; on exit it is stopped."""
    home.root.mkdir(parents=True, exist_ok=True)
    process = await anyio.open_process(
        [program, command, "--port", "0", *arguments],
        cwd=directory,
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None,
    )
    try:
        with anyio.fail_after(START_SECONDS):
            url, printed = await _started(process)
        server = ServerProcess(process, url, printed)
        yield server
        await server.stop()
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def _started(process: Process) -> tuple[str, list[str]]:
    assert process.stdout is not None
    text, printed = "", []
    async for chunk in TextReceiveStream(process.stdout):
        text += chunk
        *whole, text = text.split("\n")
        printed += whole
        for line in whole:
            if line.startswith(LISTENING):
                return line.removeprefix(LISTENING), printed
    raise RuntimeError(f"the server ended before it was ready: {printed} {text}")


async def run_opencode(
    home: Home, directory: Path, *arguments: str, stdin: str | None = None, seconds: float = 30
) -> subprocess.CompletedProcess[bytes]:
    """``opencode <arguments>`` to its end."""
    home.root.mkdir(parents=True, exist_ok=True)
    with anyio.fail_after(seconds):
        return await anyio.run_process(
            [OPENCODE, *arguments],
            cwd=directory,
            env=home.environment,
            input=(stdin or "").encode(),
            check=False,
        )
