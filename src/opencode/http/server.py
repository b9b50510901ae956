"""Runs an application on a socket with uvicorn, inside somebody else's event loop."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from socket import socket

import anyio
import uvicorn

from opencode.core.tasks import task_group
from opencode.http.app import Application
from opencode.http.connection import HttpConnection
from opencode.http.listening import bind, url_of

KEEP_ALIVE_SECONDS = 10 * 365 * 24 * 3600
"""Idle connections are never closed from this side: model turns and streams are quiet for long."""

GRACE_SECONDS = 1
"""How long requests at work may take to end once the server stops."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that accepts requests."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return url_of(self.host, self.port)


class _Uvicorn(uvicorn.Server):
    """Tells when it has started and leaves signals to whoever owns the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        await super().shutdown(sockets)
        # What the grace was too short for: uvicorn cancels the requests and forgets their connections.
        for connection in list(self.server_state.connections):
            connection.transport.abort()


@asynccontextmanager
async def serving(application: Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Listening]:
    """Serve until the block is left, by any way; then streams end, requests get a second, and the port is free again.

    Raises ``PortUnavailable``.
    """
    bound = bind(host, port)
    server = _Uvicorn(_config(application))
    async with task_group() as tasks:

        async def run() -> None:
            # Ends by ``should_exit`` alone: cancelled in the middle, it would leave its socket open.
            with anyio.CancelScope(shield=True):
                await server.serve(sockets=[bound])

        tasks.start_soon(run)
        try:
            await server.listens.wait()
            yield Listening(host, bound.getsockname()[1])
        finally:
            application.end_streams()
            server.should_exit = True


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=HttpConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
