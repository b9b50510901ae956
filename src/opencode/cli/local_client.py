"""A client of the server that owns the data directory, or of one that lives as long as the command."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode.cli.errors import CliError
from opencode.cli.local_server import local_server
from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.client.client import OpenCodeClient
from opencode.client.errors import ClientError


def with_client(globals_: GlobalOptions, work: Callable[[OpenCodeClient], Awaitable[int]]) -> int:
    """Do the work with a client about the current directory; its exit code. Raises ``CliError``."""

    async def connected(around: Surroundings) -> int:
        async with local_client(around) as client:
            return await work(client)

    with surroundings(globals_) as around:
        try:
            return anyio.run(connected, around, backend_options={"use_uvloop": True})
        except ClientError as error:
            raise CliError(str(error)) from error


@asynccontextmanager
async def local_client(around: Surroundings) -> AsyncIterator[OpenCodeClient]:
    """The data directory has one owner: whoever that is does the work."""
    async with (
        local_server(around, port=None) as server,
        OpenCodeClient(
            server.url, directory=str(Path.cwd()), username=server.username, password=server.password
        ) as client,
    ):
        yield client
