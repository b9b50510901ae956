"""A server for one ``opencode run``: the one that owns the data directory already, or one in this process."""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from opencode.cli.errors import CliError
from opencode.cli.network import DEFAULT_USERNAME, LOOPBACK, Credentials, NetworkSettings
from opencode.cli.server import running_server
from opencode.cli.surroundings import Surroundings
from opencode.core.log import get_logger
from opencode.http.listening import StartError
from opencode.storage.errors import DataDirectoryInUse

log = get_logger("run")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """Where it listens, and what it wants to be sent."""

    url: str
    username: str
    password: str | None


@asynccontextmanager
async def local_server(around: Surroundings, *, port: int | None) -> AsyncIterator[LocalServer]:
    """A server to send one prompt to; one that was started for it ends with the block."""
    async with AsyncExitStack() as stack:
        # Other users of this machine can reach the loopback too: the server is only for us.
        credentials = Credentials(password=secrets.token_urlsafe(32))
        settings = NetworkSettings(port=port or _free_port(), credentials=credentials)
        try:
            listening = await stack.enter_async_context(running_server(around, settings))
        except DataDirectoryInUse as error:
            server = _already_running(error, around)
            log.info("using the running server", url=server.url)
        except StartError as error:
            raise CliError(str(error)) from error
        else:
            server = LocalServer(url=listening.url, username=credentials.username, password=credentials.password)
        yield server


def _free_port() -> int:
    """Not the port of ``serve``, which would be missed when somebody starts that meanwhile."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _already_running(error: DataDirectoryInUse, around: Surroundings) -> LocalServer:
    """The server that owns the data directory, with the credentials that this user's environment has for it."""
    url = error.fields.get("url")
    if not isinstance(url, str):
        raise error
    return LocalServer(
        url=url,
        username=around.environment.get("OPENCODE_SERVER_USERNAME") or DEFAULT_USERNAME,
        password=around.environment.get("OPENCODE_SERVER_PASSWORD"),
    )
