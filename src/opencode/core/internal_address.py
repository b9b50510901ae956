"""Redirects from the outside to this machine or its network, which nobody was asked about."""

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    import httpx2


class TurnsInside(Exception):
    """A server outside redirects to an address inside."""

    def __init__(self, host: str) -> None:
        super().__init__(f"The server redirects to {host}, an address of this machine or its network.")


async def refuse_turn_inside(response: "httpx2.Response") -> None:
    """For the ``response`` hooks of a client that follows redirects. Raises ``TurnsInside``."""
    if not response.has_redirect_location:
        return
    asked = response.request.url
    following = asked.join(response.headers["location"])
    if following.host != asked.host and await leads_inside(following.host) and not await leads_inside(asked.host):
        raise TurnsInside(following.host)


async def leads_inside(host: str) -> bool:
    """Whether a name or address is of this machine or a network that is not public, as far as can be told now."""
    name = host.strip("[]")
    try:
        return not ip_address(name).is_global
    except ValueError:
        pass
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        found = await anyio.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return False  # nothing is there, or a proxy looks names up
    return any(not ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)
