"""The server inside a Python program, and a client of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from opencode.cli.local_server import local_server
from opencode.cli.surroundings import Surroundings
from opencode.client.client import OpenCodeClient
from opencode.config.environment import Environment
from opencode.core.clock import SystemClock
from opencode.core.paths import Paths


@asynccontextmanager
async def embedded(directory: str | Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[OpenCodeClient]:
    """A client about the directory, of a server that ends with the block and that only this program can use.

    Where another server owns the data directory already, a client of that one. ``environ``: in place of the process's
    environment. The log goes to the program's own logging. Raises the errors of ``storage/errors.py``.
    """
    environment = Environment.of_process() if environ is None else Environment(dict(environ))
    around = Surroundings(environment=environment, paths=Paths.from_environ(environment.values), clock=SystemClock())
    async with (
        local_server(around, port=None) as server,
        OpenCodeClient(
            server.url, directory=str(Path(directory).absolute()), username=server.username, password=server.password
        ) as client,
    ):
        yield client
