"""A whole server on a loopback port, in a thread, for requests nobody would make."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.server import serving
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on an empty repository, for the tests of one module."""
    root = tmp_path_factory.mktemp("fuzz")
    directory = root / "project"
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True, capture_output=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_served(root, directory)) as url:
        yield url


@asynccontextmanager
async def _served(root: Path, directory: Path) -> AsyncIterator[str]:
    variables = {"HOME": str(root / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    async with open_shared(Environment(variables), Paths.from_environ(variables)) as shared:
        application = Application(
            OperationTable(OPERATIONS),
            shared.registry,
            working_directory=str(directory),
            directory_of_session=shared.directory_of_session,
            shared=shared,
        )
        async with serving(application) as server:
            yield server.url
