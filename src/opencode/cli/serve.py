"""``opencode serve``: the headless server until it is told to stop (spec: HTTP layer, section 1)."""

import os
import signal
import sys
from contextlib import AbstractAsyncContextManager, nullcontext

import anyio

from opencode.cli.errors import CliError
from opencode.cli.network import NetworkSettings, network_settings
from opencode.cli.options import GlobalOptions, NetworkOptions
from opencode.cli.server import running_server
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.config.load import ConfigReader
from opencode.config.parse import parse_config
from opencode.config.server_schema import ServerConfig
from opencode.core.log import get_logger
from opencode.core.wire import set_or
from opencode.http.listening import StartError, announce
from opencode.http.server import Listening

log = get_logger("server")


def serve_command(globals_: GlobalOptions, options: NetworkOptions) -> int:
    """Serve until SIGINT or SIGTERM."""
    with surroundings(globals_) as around:
        settings = network_settings(options, user_server_config(around), around.environment)
        try:
            anyio.run(_serve, around, settings, backend_options={"use_uvloop": True})
        except StartError as error:
            raise CliError(str(error)) from error
    return 0


def user_server_config(around: Surroundings) -> ServerConfig:
    """``server`` of the user's own configuration: how to listen is never a project's to say."""
    layer = ConfigReader(around.paths, around.environment).global_layer()
    return set_or(parse_config(layer).server, ServerConfig())


def _announced(listening: Listening, settings: NetworkSettings) -> AbstractAsyncContextManager[None]:
    if not settings.mdns:
        return nullcontext()
    from opencode.cli.mdns import announced  # few want it, and it imports slow libraries

    return announced(listening, settings.mdns_domain)


async def _serve(around: Surroundings, settings: NetworkSettings) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running_server(around, settings) as listening, _announced(listening, settings):
            log.info("listening", url=listening.url, pid=os.getpid())
            announce(listening.url, sys.stdout, has_credentials=not settings.credentials.is_open)
            async for number in signals:
                log.info("stopping", signal=number.name)
                break
