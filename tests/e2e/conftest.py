"""A user's home, a project, and a scripted model, for tests that start the real program."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "app.py").write_text('print("Hello")\n')
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *arguments], cwd=path, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    return path


@pytest.fixture
async def model(project: Path) -> AsyncIterator[ScriptedModel]:
    """The model server, configured in the project."""
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url))
        yield model
