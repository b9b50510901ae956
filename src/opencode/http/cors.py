"""Which web pages may read our answers (spec: HTTP 5)."""

import re
from collections.abc import Collection

from opencode.http.answer import Answer, Header

_LOOPBACK = ("http://localhost:", "http://127.0.0.1:", "oc://renderer")
_DESKTOP = frozenset({"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"})
_OPENCODE = re.compile(r"https://([a-z0-9-]+\.)*opencode\.ai")

METHODS = b"GET, HEAD, PUT, PATCH, POST, DELETE"
NEEDED_HEADERS = frozenset({"authorization", "content-type", "last-event-id", "x-opencode-directory"})
"""What clients cannot do without, whatever the configuration lists."""
EXPOSED: Header = (b"access-control-expose-headers", b"Link, X-Next-Cursor")
VARY: Header = (b"vary", b"Origin")


class CorsPolicy:
    """The origins that are allowed: local pages, the desktop app, opencode.ai, and a configured list.

    ``methods`` and ``headers``, where given, are all that pages of the configured list may use.
    """

    def __init__(
        self,
        origins: Collection[str] = (),
        methods: Collection[str] | None = None,
        headers: Collection[str] | None = None,
    ) -> None:
        self._origins = frozenset(origins)
        self._methods = METHODS if methods is None else ", ".join(method.upper() for method in methods).encode()
        self._headers = None if headers is None else NEEDED_HEADERS.union(header.lower() for header in headers)

    def allows(self, origin: str) -> bool:
        """Whether a page of that origin may read answers and change things."""
        return (
            origin.startswith(_LOOPBACK)
            or origin in _DESKTOP
            or origin in self._origins
            or _OPENCODE.fullmatch(origin) is not None
        )

    def headers(self, origin: str | None) -> tuple[Header, ...]:
        """What every answer carries; the request is answered whether or not the page may read it."""
        if origin is None or not self.allows(origin):
            return (VARY,)
        return (VARY, (b"access-control-allow-origin", origin.encode()), EXPOSED)

    def preflight(self, origin: str | None, requested_headers: str | None) -> Answer:
        """The answer to ``OPTIONS``."""
        allowed: tuple[Header, ...] = ()
        methods, headers = METHODS, requested_headers or ""
        if origin is not None and self.allows(origin):
            allowed = ((b"access-control-allow-origin", origin.encode()),)
        if origin in self._origins:
            methods, headers = self._methods, self._granted(headers)
        return Answer(
            204,
            headers=(
                *allowed,
                (b"vary", b"Access-Control-Request-Headers, Origin"),
                (b"access-control-allow-methods", methods),
                (b"access-control-allow-headers", headers.encode()),
                (b"access-control-max-age", b"86400"),
            ),
        )

    def _granted(self, requested: str) -> str:
        """Those of the requested headers that pages of the configured list may send."""
        if self._headers is None:
            return requested
        names = [name.strip() for name in requested.split(",")]
        return ",".join(name for name in names if name.lower() in self._headers)
