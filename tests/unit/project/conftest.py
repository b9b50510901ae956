"""Real repositories, and a project service on a real database."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import EventScope
from opencode.project.git import Git
from opencode.project.schema import ProjectUpdated
from opencode.project.service import ProjectService
from opencode.storage.database import Database, open_database

GitCommand = Callable[..., str]


@dataclass
class Projects:
    """A service, its database, and what it announced."""

    database: Database
    service: ProjectService
    events: list[ProjectUpdated] = field(default_factory=list)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own, so that nobody's git configuration matters."""
    (tmp_path / "home").mkdir()
    identity = {f"GIT_{role}_{part}": "x@y.z" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "GIT_CONFIG_NOSYSTEM": "1", **identity}


@pytest.fixture
def git_command(environ: dict[str, str]) -> GitCommand:
    """Runs git and gives back what it printed."""

    def run(directory: Path, *arguments: str) -> str:
        argv = ["git", "-c", "protocol.file.allow=always", *arguments]
        return subprocess.run(
            argv, cwd=directory, env=environ, check=True, capture_output=True, text=True
        ).stdout.strip()

    return run


@pytest.fixture
def git(environ: dict[str, str]) -> Git:
    return Git(environ)


@pytest.fixture
def repository(tmp_path: Path, git_command: GitCommand) -> Path:
    """A repository with one commit on ``main``."""
    directory = tmp_path / "repo"
    directory.mkdir()
    git_command(directory, "init", "-q", "-b", "main")
    git_command(directory, "commit", "-q", "--allow-empty", "-m", "first")
    return directory


@pytest.fixture
async def projects(tmp_path: Path, environ: dict[str, str]) -> AsyncIterator[Projects]:
    clock = SystemClock()
    async with open_database(tmp_path / "test.db") as database:
        bus = EventBus(await open_event_log(database, clock), IdGenerator(clock), clock)
        made = Projects(database, ProjectService(database, bus, clock, environ))
        bus.scoped(EventScope(directory="global")).subscribe_function(ProjectUpdated, made.events.append)
        yield made
