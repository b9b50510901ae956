"""Where the server listens: ports, who may be let in, and what it says about it (spec: HTTP 1; design: security)."""

import socket
from typing import TextIO

from opencode.http.origin import is_loopback

DEFAULT_PORT = 4096
BACKLOG = 2048


class StartError(Exception):
    """The server cannot start; the text is for the person who started it."""


class PortUnavailable(StartError):
    """The port that was asked for cannot be bound."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Failed to start the server on {host}, port {port}: {reason}")


class Exposed(StartError):
    """Anybody on the network could run commands on this machine."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Refusing to listen on {host} without a password: everybody who can reach it could run commands here. "
            "Set OPENCODE_SERVER_PASSWORD, or say --allow-unauthenticated if this is what you want."
        )


def check_exposure(host: str, *, has_credentials: bool, allowed: bool) -> None:
    """Refuse to serve other machines without credentials, unless that is ``allowed`` in so many words.

    Raises ``Exposed``.
    """
    if not (has_credentials or allowed or is_loopback(host)):
        raise Exposed(host)


def bind(host: str, port: int) -> socket.socket:
    """A bound socket. Port 0: 4096 if it is free, else any free one. Raises ``PortUnavailable``."""
    if port != 0:
        return _bind(host, port)
    try:
        return _bind(host, DEFAULT_PORT)
    except PortUnavailable:
        return _bind(host, 0)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortUnavailable(host, port, error.strerror or str(error)) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)  # now, so that a taken port shows at once
    except OSError as error:
        bound.close()
        raise PortUnavailable(host, port, error.strerror or str(error)) from error
    bound.setblocking(False)
    return bound


def url_of(host: str, port: int) -> str:
    """``http://host:port``, with an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(url: str, out: TextIO, *, has_credentials: bool) -> None:
    """Say where the server listens. Clients that start a server read this line: it is exact and flushed."""
    if not has_credentials:
        out.write("Warning: OPENCODE_SERVER_PASSWORD is not set; every program on this machine can use the server.\n")
    out.write(f"opencode server listening on {url}\n")
    out.flush()
