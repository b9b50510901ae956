"""What the checks play with: our server in a project, a scripted model, and the official program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import anyio
import httpx2

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
FIRST_SCREEN: Final = "(?i)ask anything"
RUN_SECONDS: Final = 60


@dataclass(frozen=True)
class Setting:
    """What stays the same for all checks of one round."""

    version: str
    """Of the official program."""
    program: Path
    """The official program."""
    server_program: str
    """What ``serve`` is asked of: ours, or the official one to try the checks themselves."""
    directory: Path
    """All homes and projects are below it."""
    numbers: "count[int]"

    def new_home(self, name: str, **variables: str) -> Home:
        """A home that nobody has used."""
        home = Home(self.directory / f"{name}{next(self.numbers)}", {**OFFLINE, **variables})
        home.root.mkdir()
        return home


@dataclass(frozen=True)
class World:
    """A server with its project and model, and the official program of one version."""

    setting: Setting
    project: Path
    model: ScriptedModel
    home: Home
    """The server's."""
    server: ServerProcess

    def expect(self, prompt: str, *turns: Turn | str) -> None:
        """What the model answers in conversations where ``prompt`` was said."""
        self.model.push_for(says(prompt), *turns)

    @asynccontextmanager
    async def tui(self, *arguments: str, first: str = FIRST_SCREEN) -> AsyncIterator[Terminal]:
        """``opencode attach`` on the server, in a home and a directory of its own, once it shows ``first``."""
        home = self.setting.new_home("client")
        command = [str(self.setting.program), "attach", self.server.url, *arguments]
        async with terminal(home.root / "tmux", command, home.root, home.environment) as screen:
            await screen.shows(first, seconds=30)
            yield screen

    async def run(self, *arguments: str, stdin: str = "") -> CompletedProcess[str]:
        """``opencode run --attach`` on the server, to its end."""
        home = self.setting.new_home("client")
        command = [str(self.setting.program), "run", "--attach", self.server.url, *arguments]
        with anyio.fail_after(RUN_SECONDS):
            done = await anyio.run_process(
                command, input=stdin.encode(), cwd=home.root, env=home.environment, check=False
            )
        return CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the server that neither client makes; its JSON answer."""
        async with httpx2.AsyncClient(base_url=self.server.url, timeout=RUN_SECONDS) as client:
            response = await client.request(method, path, json=body)
        response.raise_for_status()
        return response.json()

    @asynccontextmanager
    async def another_server(self, home: Home, *arguments: str) -> AsyncIterator["World"]:
        """The same world with another server, which has a home of its own."""
        program = self.setting.server_program
        async with server_process(home, self.project, *arguments, program=program) as server:
            yield replace(self, home=home, server=server)


@asynccontextmanager
async def open_world(setting: Setting) -> AsyncIterator[World]:
    """A world with one server, until the context is left."""
    project = setting.directory / "project"
    project.mkdir(parents=True)
    await _make_repository(project)
    home = setting.new_home("server")
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
        async with server_process(home, project, program=setting.server_program) as server:
            yield World(setting, project, model, home, server)


async def _make_repository(project: Path) -> None:
    (project / "greeting.py").write_text('print("Hello")\n')
    commands = project / ".opencode/command"
    commands.mkdir(parents=True)
    (commands / "greet.md").write_text("---\ndescription: Greet somebody\n---\nGreet $ARGUMENTS in Latin.\n")
    author = ("-c", "user.name=check", "-c", "user.email=check@localhost")
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "Start"]):
        await anyio.run_process(["git", *arguments], cwd=project)
