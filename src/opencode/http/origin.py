"""Refuses requests that a foreign web page makes the user's browser send (DNS rebinding, drive-by forms)."""

from collections.abc import Collection
from ipaddress import ip_address

from opencode.core.errors import Forbidden
from opencode.http.auth import SHARED
from opencode.http.cors import CorsPolicy
from opencode.http.request import Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PAGES = ("/doc", SHARED)


class HostNotAllowed(Forbidden):
    """The name the client used for this server is not one of ours."""

    def __init__(self, host: str) -> None:
        super().__init__(f"Host not allowed: {host}", host=host)


class OriginNotAllowed(Forbidden):
    """A web page of another site tries to change something."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"Origin not allowed: {origin}", origin=origin)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    name = host.strip("[]").lower().rstrip(".")
    if name in ("localhost", "127.0.0.1", "::1") or name.endswith(".localhost"):  # nearly every request
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site makes the request. Links to pages are for people to follow, and do nothing."""
    if request.header(b"sec-fetch-site") != "cross-site":
        return False
    follows_link = request.header(b"sec-fetch-mode") == "navigate" and request.header(b"sec-fetch-dest") == "document"
    return not (follows_link and request.raw_path.startswith(PAGES))


class OriginGuard:
    """Checks ``Host`` and ``Origin``.

    ``hosts``: names allowed besides loopback ones; ``None`` when the server listens beyond loopback, where any name
    may be right and credentials protect it.
    """

    def __init__(self, cors: CorsPolicy, hosts: Collection[str] | None) -> None:
        self._cors = cors
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)

    def check(self, request: Request) -> None:
        """Raises ``HostNotAllowed``, ``OriginNotAllowed``."""
        host = request.header(b"host")
        if self._hosts is not None and host and not self._knows(host):
            raise HostNotAllowed(host)
        origin = request.header(b"origin")
        if request.method in SAFE_METHODS:
            # The page could not read the answer, but it could make the server open any directory, or work for it.
            if _comes_from_elsewhere(request) and not (origin and self._cors.allows(origin)):
                raise OriginNotAllowed(origin or "another site")
        elif origin is not None and not self._cors.allows(origin) and origin.partition("://")[2] != host:
            raise OriginNotAllowed(origin)

    def _knows(self, host: str) -> bool:
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        return is_loopback(name) or (self._hosts is not None and name.lower() in self._hosts)
