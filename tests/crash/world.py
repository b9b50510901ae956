"""One user's home and project, in which one server after the other lives and is killed."""

import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2

from tests.crash import armed_server
from tests.crash.ledger import Ledger
from tests.crash.scripted_turns import ASKS_FIRST
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import LISTENING, Home

PROGRAM = (sys.executable, armed_server.__file__)
START_SECONDS = 20


@dataclass
class World:
    """``seed`` names everything that is random in it."""

    seed: str
    home: Home
    project: Path
    model: ScriptedModel
    ledger: Ledger = field(default_factory=Ledger)
    last_logged: str = ""
    """The id of the newest event that the last server left in its log."""
    unanswered: set[str] = field(default_factory=set)
    """The asks that were open then."""

    @property
    def database(self) -> Path:
        return self.home.data / "opencode-server.db"

    @asynccontextmanager
    async def server(self, crash_at: str = "") -> AsyncIterator["Life"]:
        """A server that lives until the block is left, at most. ``Life.url`` is None if it died before it listened."""
        process = await anyio.open_process(
            [*PROGRAM, "serve", "--port", str(quiet_port())],
            cwd=self.project,
            env={**self.home.environment, "CRASH_AT": crash_at},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None,
        )
        life = Life(process)
        try:
            with anyio.fail_after(START_SECONDS):
                await life.started()
            yield life
        finally:
            with anyio.CancelScope(shield=True):
                await life.kill()
                await process.aclose()
        self.ledger.rest()

    def stored(self, sql: str) -> list[tuple[Any, ...]]:
        """What a dead server left in its database, read from a copy so that nothing is repaired by looking."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.db"
            shutil.copyfile(self.database, copy)
            log = Path(f"{self.database}-wal")
            if log.exists():
                shutil.copyfile(log, f"{copy}-wal")
            with closing(sqlite3.connect(copy)) as connection:
                return connection.execute(sql).fetchall()


class Life:
    """One server process."""

    def __init__(self, process: anyio.abc.Process) -> None:
        self._process = process
        self.url: str | None = None

    async def started(self) -> None:
        """Wait until it listens or has died of its failpoint."""
        assert self._process.stdout is not None
        text = b""
        async for chunk in self._process.stdout:
            text += chunk
            for line in text.decode().split("\n")[:-1]:
                if line.startswith(LISTENING):
                    self.url = line.removeprefix(LISTENING)
                    return
        code = await self._process.wait()
        assert code == -signal.SIGKILL, (code, text)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self) -> None:
        """End it properly."""
        self._process.send_signal(signal.SIGINT)
        await self._process.wait()

    async def dead(self) -> None:
        await self._process.wait()

    async def kill(self) -> None:
        """End it as a crash does: nothing is cleaned up."""
        if self.alive:
            self._process.kill()
        await self._process.wait()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx2.AsyncClient]:
        assert self.url is not None
        async with httpx2.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
            yield http


def quiet_port() -> int:
    """A free port that the system gives to nobody: a stranger must not answer in the name of a dead server."""
    while True:
        port = random.randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def make_project(root: Path) -> Path:
    """A git repository with one commit."""
    project = root / "project"
    project.mkdir(parents=True)
    (project / "app.py").write_text('print("Hello")\n')
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    for arguments in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "start"]):
        subprocess.run(["git", *arguments], cwd=project, check=True, env=environment)
    return project


@asynccontextmanager
async def new_world(root: Path, seed: str) -> AsyncIterator[World]:
    """A fresh home, a git project and a model whose answers follow from the seed."""
    project = make_project(root)
    async with scripted_model() as model:
        rules = {"bash": {"*": "allow", ASKS_FIRST: "ask"}}
        write_config(project, scripted_config(model.url, permission=rules))
        yield World(seed, Home(root / "home"), project, model)
