"""The servers that are compared, and how one of them is started, watched and stopped."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.binaries import OFFICIAL, official_binary
from bench.client import Target, answers
from bench.process import cpu_seconds, memory_mib

OURS = "ours"
START_SECONDS = 120
PROBE_SECONDS = 0.25
"""An official server may accept a connection before it can answer on it: then it has to be asked again."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to measure."""

    name: str
    program: Path

    @property
    def is_ours(self) -> bool:
        return self.name == OURS


def our_peer(program: Path | None = None) -> Peer:
    """Ours: the ``opencode`` of this environment unless another is named."""
    return Peer(OURS, program or Path(sys.executable).with_name("opencode"))


def official_peers() -> list[Peer]:
    """Raises ``NotAvailable``."""
    return [Peer(version, official_binary(version)) for version in OFFICIAL]


class Server:
    """A running server."""

    def __init__(self, peer: Peer, process: subprocess.Popen[bytes], port: int, started_seconds: float) -> None:
        self.peer = peer
        self.port = port
        self.started_seconds = started_seconds
        """From the start of the process to the first 200."""
        self._process = process

    def cpu(self) -> float:
        """Processor seconds of its process tree so far."""
        return cpu_seconds(self._process.pid)

    def memory(self) -> tuple[float, float]:
        """Resident and proportional memory of its process tree in MiB."""
        return memory_mib(self._process.pid)


def environment(home: Path) -> dict[str, str]:
    """Nothing of the real user's; nothing is fetched."""
    home.mkdir(parents=True, exist_ok=True)
    places = {
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_CACHE_HOME": home / ".cache",
    }
    quiet = ("OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{name: str(path) for name, path in places.items()},
        **dict.fromkeys(quiet, "1"),
    }


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(peer: Peer, home: Path, directory: Path) -> AsyncIterator[Server]:
    """A server that answers, until the block is left."""
    port = free_port()
    command = [str(peer.program), "serve", "--port", str(port), "--hostname", "127.0.0.1"]
    began = time.perf_counter()
    process = _start(command, directory, environment(home), home / "server.log")
    try:
        await _until_answers(Target(port, str(directory)), "/global/health", process, home / "server.log")
        yield Server(peer, process, port, time.perf_counter() - began)
    finally:
        await asyncio.to_thread(stop, process)


@asynccontextmanager
async def running_model(folder: Path) -> AsyncIterator[int]:
    """The scripted model in a process of its own; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.model", str(port)]
    process = _start(command, Path.cwd(), dict(os.environ), folder / "model.log")
    try:
        await _until_answers(Target(port, "/"), "/first_bytes", process, folder / "model.log")
        yield port
    finally:
        stop(process)


def _start(command: list[str], directory: Path, variables: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A process in a session of its own, so that all it starts can be ended with it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command, cwd=directory, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip


async def _until_answers(target: Target, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.perf_counter() + START_SECONDS
    while not await answers(target, path, PROBE_SECONDS):
        if process.poll() is not None or time.perf_counter() > deadline:
            raise RuntimeError(f"it did not start: {log.read_text()[-2000:]}")
        await asyncio.sleep(0.005)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started in a session of its own, and what is left of its group."""
    for number, patience_seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience_seconds)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()
