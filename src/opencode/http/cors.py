"""Which web pages may read our answers (spec: HTTP 5)."""

import re
from collections.abc import Collection

from opencode.http.answer import Answer, Header

_LOOPBACK = ("http://localhost:", "http://127.0.0.1:", "oc://renderer")
_DESKTOP = frozenset({"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"})
_OPENCODE = re.compile(r"https://([a-z0-9-]+\.)*opencode\.ai")

METHODS = b"GET, HEAD, PUT, PATCH, POST, DELETE"
EXPOSED: Header = (b"access-control-expose-headers", b"Link, X-Next-Cursor")
VARY: Header = (b"vary", b"Origin")


class CorsPolicy:
    """The origins that are allowed: local pages, the desktop app, opencode.ai, and a configured list."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(origins)

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
        if origin is not None and self.allows(origin):
            allowed = ((b"access-control-allow-origin", origin.encode()),)
        return Answer(
            204,
            headers=(
                *allowed,
                (b"vary", b"Access-Control-Request-Headers, Origin"),
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", (requested_headers or "").encode()),
                (b"access-control-max-age", b"86400"),
            ),
        )
