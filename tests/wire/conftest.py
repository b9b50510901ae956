"""The whole server in process: real storage, real git, the demonstration model; one project directory."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from opencode.instance.shared import Shared

Client = httpx.AsyncClient


def git(directory: Path, *arguments: str) -> None:
    """Run git, with an identity."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit on ``main``."""
    directory = tmp_path / "project"
    directory.mkdir()
    git(directory, "init", "--quiet", "--initial-branch=main")
    (directory / "hello.txt").write_text("hello\n")
    git(directory, "add", ".")
    git(directory, "commit", "--quiet", "--message=start")
    return directory


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a user without credentials, who is offline."""
    return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}


@pytest.fixture
async def shared(environ: dict[str, str]) -> AsyncIterator[Shared]:
    async with open_shared(Environment(environ), Paths.from_environ(environ)) as shared:
        yield shared


@pytest.fixture
def application(shared: Shared, project: Path) -> Application:
    return Application(
        OperationTable(OPERATIONS),
        shared.registry,
        working_directory=str(project),
        directory_of_session=shared.directory_of_session,
        shared=shared,
    )


@pytest.fixture
async def client(application: Application) -> AsyncIterator[Client]:
    """Requests without a directory are about ``project``."""
    transport = httpx.ASGITransport(app=application)
    async with Client(transport=transport, base_url="http://localhost:4096", timeout=20) as client:
        yield client
