"""Announces the server on the local network (spec: HTTP layer, section 12)."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import anyio
import psutil

from opencode.core.log import get_logger
from opencode.core.tasks import task_group
from opencode.http.origin import is_loopback
from opencode.http.server import Listening

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo

SERVICE_TYPE: Final = "_http._tcp.local."
_GOODBYE_SECONDS: Final = 2.0
log = get_logger("mdns")


@asynccontextmanager
async def announced(listening: Listening, domain: str) -> AsyncIterator[None]:
    """Announced while the block runs, when somebody else can reach the server; what fails is only logged.

    Announcing takes a second (the name is probed for first), so it goes on beside the block.
    """
    if is_loopback(listening.host):
        log.warning("not announced: only this machine can reach the server", host=listening.host)
        yield
    else:
        async with task_group() as tasks:
            tasks.start_soon(_announce, listening, domain)
            yield
            tasks.cancel_scope.cancel()


async def _announce(listening: Listening, domain: str) -> None:
    """Until cancelled."""
    try:
        from zeroconf.asyncio import AsyncZeroconf  # optional, and slow to import
    except ImportError:
        log.warning("not announced: install opencode-server[mdns]")
        return
    network = AsyncZeroconf()
    try:
        await network.async_register_service(service_info(listening, domain, addresses_of(listening.host)))
        await anyio.sleep_forever()
    except (OSError, NotImplementedError) as error:
        log.warning("not announced", error=error)
    finally:
        with anyio.move_on_after(_GOODBYE_SECONDS, shield=True):
            await network.async_unregister_all_services()
            await network.async_close()


def service_info(listening: Listening, domain: str, addresses: list[str]) -> "AsyncServiceInfo":
    """What is announced: ``opencode-<port>``, of type http, at the domain."""
    from zeroconf.asyncio import AsyncServiceInfo  # optional, and slow to import

    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"opencode-{listening.port}.{SERVICE_TYPE}",
        port=listening.port,
        server=f"{domain.rstrip('.')}.",
        properties={"path": "/"},
        parsed_addresses=addresses,
    )


def addresses_of(host: str) -> list[str]:
    """The address itself; for one that means every interface, the IPv4 addresses of the machine."""
    try:
        if not ip_address(host).is_unspecified:
            return [host]
    except ValueError:
        return [socket.gethostbyname(host)]
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not is_loopback(address.address)
    ]
    return found or ["127.0.0.1"]
