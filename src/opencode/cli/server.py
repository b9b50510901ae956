"""The whole server in this process, from its settings: what ``serve`` and a ``run`` of its own start."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from opencode.cli.network import NetworkSettings
from opencode.cli.surroundings import Surroundings
from opencode.http.app import Application
from opencode.http.auth import Gate
from opencode.http.cors import CorsPolicy
from opencode.http.listening import check_exposure
from opencode.http.operations import OPERATIONS
from opencode.http.origin import OriginGuard, is_loopback
from opencode.http.server import Listening, serving
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from opencode.instance.shared import Shared


@asynccontextmanager
async def running_server(around: Surroundings, settings: NetworkSettings) -> AsyncIterator[Listening]:
    """A server that accepts requests until the block is left; then it closes what it holds, in reverse order.

    Raises ``StartError`` (``http/listening.py``) and the errors of ``storage/errors.py``.
    """
    credentials = settings.credentials
    check_exposure(settings.hostname, has_credentials=not credentials.is_open, allowed=settings.allow_unauthenticated)
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(open_shared(around.environment, around.paths, around.clock))
        application = _application(shared, settings)
        listening = await stack.enter_async_context(serving(application, settings.hostname, settings.port))
        shared.database.ownership.announce(listening.url)
        if settings.share:
            shared.sharing.open_at(settings.share if isinstance(settings.share, str) else listening.url)
        yield listening


def _application(shared: Shared, settings: NetworkSettings) -> Application:
    cors = CorsPolicy(settings.cors, settings.cors_methods, settings.cors_headers)
    credentials = settings.credentials
    return Application(
        OperationTable(OPERATIONS),
        shared.registry,
        working_directory=str(Path.cwd()),
        directory_of_session=shared.directory_of_session,
        shared=shared,
        cors=cors,
        gate=Gate(credentials.password, credentials.username, credentials.tokens),
        guard=OriginGuard(cors, known_hosts(settings)),
    )


def known_hosts(settings: NetworkSettings) -> set[str] | None:
    """The names under which requests may come besides loopback ones; ``None``: any, it listens beyond the loopback.

    Origins that are let in are also names of a proxy before this server, but only where credentials are wanted: a page
    under a name that was bound to this machine behind the user's back has none.
    """
    if not is_loopback(settings.hostname):
        return None
    addresses = [settings.share] if isinstance(settings.share, str) else []
    if not settings.credentials.is_open:
        addresses += settings.cors
    return {settings.hostname, settings.mdns_domain, *(urlsplit(address).hostname or "" for address in addresses)}
