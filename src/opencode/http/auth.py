"""Who may ask (spec: HTTP 4)."""

import base64
import binascii
from collections.abc import Collection
from hmac import compare_digest

from opencode.core.errors import Unauthorized
from opencode.http.request import Request

PUBLIC = frozenset({"/site.webmanifest", "/web-app-manifest-192x192.png", "/web-app-manifest-512x512.png"})
"""Files a browser fetches without credentials to install the web app."""

SHARED = "/share/"
"""What lies below is there for anyone who knows its link."""


class Gate:
    """Checks credentials: Basic with the password, or a bearer token; open when neither is configured.

    ``auth_token`` in the query (base64 of ``user:password``) stands in for the header where clients cannot set one.
    """

    def __init__(self, password: str | None, username: str = "opencode", tokens: Collection[str] = ()) -> None:
        self._basic = f"{username}:{password}".encode() if password else None
        self._tokens = tuple(token.encode() for token in tokens)
        self.is_open = self._basic is None and not self._tokens

    def check(self, request: Request) -> None:
        """Raises ``Unauthorized`` unless the request may pass."""
        if self.is_open or self._is_public(request) or self._has_credentials(request):
            return
        raise Unauthorized("Authentication required")

    def _is_public(self, request: Request) -> bool:
        is_public = request.raw_path in PUBLIC or request.raw_path.startswith(SHARED)
        return request.method == "GET" and is_public

    def _has_credentials(self, request: Request) -> bool:
        if (token := request.query.get("auth_token")) is not None:
            return self._is_basic(token)
        scheme, _, value = (request.header(b"authorization") or "").partition(" ")
        match scheme.lower():
            case "basic":
                return self._is_basic(value.strip())
            case "bearer":
                return self._is_token(value.strip())
            case _:
                return False

    def _is_basic(self, encoded: str) -> bool:
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return self._basic is not None and compare_digest(given, self._basic)

    def _is_token(self, value: str) -> bool:
        given = value.encode()
        # Every token is compared, so the time does not tell which one came close.
        matches = [compare_digest(given, token) for token in self._tokens]
        return True in matches
