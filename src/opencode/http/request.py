"""One HTTP request, read no further than somebody asks."""

from urllib.parse import parse_qsl, quote

from opencode.core.errors import Invalid
from opencode.http.answer import Receive, Scope


class BodyTooLarge(Invalid):
    """The body is larger than the server was told to take."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes", limit=limit)


class ClientGone(Exception):
    """The client left before it had sent its whole request: nobody to answer."""


class Request:
    """Method, path, headers, query and body of a request.

    ``raw_path`` is still percent-encoded, so that ``%2F`` within a segment does not split it.
    """

    __slots__ = ("_body_limit", "_query", "_receive", "headers", "method", "raw_path", "scope")

    def __init__(self, scope: Scope, receive: Receive, body_limit: int) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        raw: bytes | None = scope.get("raw_path")
        self.raw_path = raw.decode("ascii", "replace") if raw else quote(scope["path"], safe="/%")
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self._body_limit = body_limit
        self._query: dict[str, str] | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a header (lower-case name); UTF-8 where it is, else Latin-1."""
        value = self.headers.get(name)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")

    @property
    def base_url(self) -> str:
        """Scheme and host as the client sees them."""
        return f"{self.scope['scheme']}://{self.header(b'host') or 'localhost'}"

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of one given twice, the first."""
        if self._query is None:
            raw: bytes = self.scope["query_string"]
            pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True) if raw else []
            self._query = dict(reversed(pairs))
        return self._query

    async def body(self) -> bytes:
        """The whole body. Raises ``BodyTooLarge``, ``ClientGone``."""
        self._check_size(int(declared) if (declared := self.header(b"content-length") or "0").isdecimal() else 0)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return message.get("body", b"")  # type: ignore[no-any-return]
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            self._check_size(size)
            if not message.get("more_body"):
                return b"".join(chunks)
            message = await self._receive()

    def _check_size(self, size: int) -> None:
        if size > self._body_limit:
            raise BodyTooLarge(self._body_limit)
