"""What the checks play with: our server in a project, a scripted model, and the official program."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import anyio

from scripts.official_clients.terminal import Terminal, terminal
from tests.support.scripted_config import says, scripted_config, write_config
from tests.support.scripted_model.script import Turn
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import Home, ServerProcess, server_process

OFFLINE: Final = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "LANG": "C.UTF-8",
}
RUN_SECONDS: Final = 60


@dataclass
class World:
    """Our server with its project and model, and the official program of one version."""

    version: str
    program: Path
    directory: Path
    project: Path
    server: ServerProcess
    model: ScriptedModel
    _numbers: Any = field(default_factory=count)

    def expect(self, prompt: str, *turns: Turn | str) -> None:
        """What the model answers in conversations where ``prompt`` was said."""
        self.model.push_for(says(prompt), *turns)

    @asynccontextmanager
    async def tui(self, *arguments: str) -> AsyncIterator[Terminal]:
        """``opencode attach`` on our server, in a home and a directory of its own, at its first screen."""
        home = self._new_home()
        socket = home.root / "tmux"
        command = [str(self.program), "attach", self.server.url, *arguments]
        async with terminal(socket, command, home.root, home.environment) as screen:
            await screen.shows("M1", self.version, seconds=30)
            yield screen

    async def run(self, *arguments: str, stdin: str = "") -> CompletedProcess[str]:
        """``opencode run --attach`` on our server, to its end."""
        home = self._new_home()
        command = [str(self.program), "run", "--attach", self.server.url, *arguments]
        with anyio.fail_after(RUN_SECONDS):
            done = await anyio.run_process(
                command, input=stdin.encode(), cwd=home.root, env=home.environment, check=False
            )
        return CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    async def ask_server(self, method: str, path: str, body: Any = None) -> Any:
        """One request to our server, made by neither client; its JSON answer."""
        data = [] if body is None else ["-H", "content-type: application/json", "-d", json.dumps(body)]
        done = await anyio.run_process(["curl", "-sf", "-X", method, *data, self.server.url + path])
        return json.loads(done.stdout)

    def _new_home(self) -> Home:
        home = Home(self.directory / f"client{next(self._numbers)}", dict(OFFLINE))
        home.root.mkdir()
        return home


@asynccontextmanager
async def open_world(version: str, program: Path, directory: Path) -> AsyncIterator[World]:
    """A world below ``directory``, until the context is left."""
    project = directory / "project"
    project.mkdir(parents=True)
    home = Home(directory / "server", {"LANG": "C.UTF-8"})
    await _make_repository(project)
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
        async with server_process(home, project) as server:
            yield World(version, program, directory, project, server, model)


async def _make_repository(project: Path) -> None:
    (project / "greeting.py").write_text('print("Hello")\n')
    author = ("-c", "user.name=check", "-c", "user.email=check@localhost")
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "Start"]):
        await anyio.run_process(["git", *arguments], cwd=project)
