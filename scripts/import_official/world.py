"""A home in which an official server wrote its data, and what it said of it."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import httpx2

from scripts.import_official.accounts import Json, answers_of
from scripts.import_official.conversations import CONVERSATIONS, REQUEST_SECONDS, Author, elsewhere
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import OPENCODE, Home, run_opencode, server_process

OFFLINE: Final = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "LANG": "C.UTF-8",
}
COMMIT_DATE: Final = "2026-01-02T03:04:05Z"
"""The id of a project is that of its first commit: it should be the same every time."""


@dataclass(frozen=True)
class World:
    """Two directories of one user: a repository, and one without."""

    root: Path
    model: ScriptedModel

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def plain(self) -> Path:
        return self.root / "plain"

    @property
    def directories(self) -> list[Path]:
        return [self.project, self.plain]

    def home(self, name: str) -> Home:
        return Home(self.root / name, OFFLINE)

    async def written_by(self, program: Path, home: Home) -> list[Json]:
        """Let an official server make sessions of all kinds; what it answers about them."""
        async with self.talking_to(str(program), home) as author:
            for conversation in CONVERSATIONS:
                await conversation(author)
            await elsewhere(Author(author.client, author.model, self.plain))
            return await answers_of(author, self.directories)

    async def answers(self, program: str, home: Home) -> list[Json]:
        """What a server answers about the sessions in a home."""
        async with self.talking_to(program, home) as author:
            return await answers_of(author, self.directories)

    @asynccontextmanager
    async def talking_to(self, program: str, home: Home) -> AsyncIterator[Author]:
        """A server in that home, for a while."""
        async with (
            server_process(home, self.project, program=program) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=REQUEST_SECONDS) as client,
        ):
            yield Author(client, self.model, self.project)

    async def imported(self, home: Home, source: Path) -> tuple[int, str]:
        """Run our import into a home of ours; its exit code and what it printed."""
        done = await run_opencode(home, self.project, "import", "--from-opencode", str(source), seconds=REQUEST_SECONDS)
        return done.returncode, (done.stdout + done.stderr).decode()

    async def our_answers(self, home: Home) -> list[Json]:
        return await self.answers(OPENCODE, home)

    async def cannot_go_on(self, home: Home, sessions: Iterable[Json]) -> list[str]:
        """The imported sessions that our server does not go on with, and why."""
        faults = []
        async with self.talking_to(OPENCODE, home) as author:
            for session in sessions:
                here = Author(author.client, author.model, Path(session["directory"]))
                answer = await here.prompt(session["id"], f"go on {home.root.name}", "Going on.")
                texts = [part.get("text") for part in answer["parts"] if part["type"] == "text"]
                if texts != ["Going on."]:
                    faults.append(f"{session['id']}: our server did not go on: {answer}")
        return faults


@asynccontextmanager
async def open_world(root: Path) -> AsyncIterator[World]:
    """The directories, and a model that answers by script."""
    async with scripted_model() as model:
        world = World(root, model)
        for directory in world.directories:
            directory.mkdir(parents=True)
            write_config(directory, scripted_config(model.url))
        (world.project / "greeting.txt").write_text("Hello\n")
        (world.project / "notes.md").write_text("# Notes\n")
        dates = {"GIT_AUTHOR_DATE": COMMIT_DATE, "GIT_COMMITTER_DATE": COMMIT_DATE}
        author = ("-c", "user.name=author", "-c", "user.email=author@localhost")
        for arguments in (["init", "-q"], ["add", "*.txt", "*.md"], [*author, "commit", "-q", "-m", "Start"]):
            await anyio.run_process(["git", *arguments], cwd=world.project, env={**dates, "HOME": str(root)})
        yield world


def copied_home(home: Home, name: str) -> Home:
    """The same data in another home."""
    copy = Home(home.root.with_name(name), home.variables)
    shutil.copytree(home.root, copy.root, symlinks=True)
    return copy


def state_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file below a folder: its time of change in ns, its size, its content's hash."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = subprocess.run(["sha256sum", *map(str, files)], capture_output=True, text=True, check=True).stdout
    hashes = [line.split()[0] for line in sums.splitlines()]
    stats = [path.stat() for path in files]
    state = {
        str(path.relative_to(folder)): (stat.st_mtime_ns, stat.st_size, digest)
        for path, stat, digest in zip(files, stats, hashes, strict=True)
    }
    folders = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    return state | {f"{path}/": (path.stat().st_mtime_ns, 0, "") for path in folders}
