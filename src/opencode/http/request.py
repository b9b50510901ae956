"""One HTTP request, read no further than somebody asks."""

from urllib.parse import parse_qsl, quote

from opencode.core.errors import Invalid
from opencode.http.answer import Message, Receive, Scope


class BodyTooLarge(Invalid):
    """The body is larger than the server was told to take."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes", limit=limit)


class ClientGone(Exception):
    """The client left before it had sent its whole request: nobody to answer."""


async def _nothing() -> Message:
    return {"type": "http.request"}


class Request:
    """Method, path, headers, query and body of a request.

    ``raw_path`` is still percent-encoded, so that ``%2F`` within a segment does not split it.
    """

    __slots__ = ("_body_limit", "_query", "_query_string", "_receive", "headers", "method", "raw_path", "scheme")

    def __init__(
        self,
        method: str,
        raw_path: str,
        query_string: bytes,
        headers: dict[bytes, bytes],
        *,
        scheme: str = "http",
        receive: Receive = _nothing,
        body_limit: int = 0,
    ) -> None:
        self.method = method
        self.raw_path = raw_path
        self.headers = headers
        self.scheme = scheme
        self._query_string = query_string
        self._query: dict[str, str] | None = None
        self._receive = receive
        self._body_limit = body_limit

    @classmethod
    def of_scope(cls, scope: Scope, receive: Receive, body_limit: int) -> "Request":
        """The request that an ASGI server describes."""
        raw: bytes | None = scope.get("raw_path")
        raw_path = raw.decode("ascii", "replace") if raw else quote(scope["path"], safe="/%")
        scheme = scope.get("scheme", "http")
        return cls(
            scope["method"], raw_path, scope["query_string"], dict(scope["headers"]),
            scheme=scheme, receive=receive, body_limit=body_limit,
        )  # fmt: skip

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
        return f"{self.scheme}://{self.header(b'host') or 'localhost'}"

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of one given twice, the first."""
        if self._query is None:
            raw = self._query_string
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
