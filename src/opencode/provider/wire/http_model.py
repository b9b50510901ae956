"""What all wires share: one HTTP request, its stream of events, and the errors on the way."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from opencode.core.ids import ProviderID
from opencode.core.masking import MASK, masked_headers, without_user
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import encode
from opencode.provider.connection import Connection
from opencode.provider.errors import ModelCallError, ProviderAuthFailed, StreamFault
from opencode.provider.failures import (
    connection_failure,
    ended_early,
    http_failure,
    json_error,
    not_a_stream,
    timeout_failure,
)
from opencode.provider.normalise import normalised
from opencode.provider.request import ModelRequest
from opencode.provider.stream import StreamEvent
from opencode.provider.wire.sse import EventTooLarge, SseReader

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"opencode-server/{SERVER_VERSION}"
CONNECT_SECONDS = 30.0
CLOSE_SECONDS = 2.0
ERROR_BODY_SECONDS = 10.0
"""How long it is read what a failing answer says."""
NOISE_PATIENCE = 3
"""How many times the limit between two chunks an answer may go on with signs of life only."""
PAGES = ("text/html", "application/xhtml", "application/xml", "text/xml")
LARGEST_ERROR_BYTES = 256 * 1024
LARGEST_ANSWER_BYTES = 256 * 1024 * 1024
"""An answer without end would fill the memory and the disk."""
EVENTS_IN_A_ROW = 16
"""So many of what has come at once are handed on before everybody else gets their turn: other answers came, too."""
_OF_THE_TRANSPORT = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})
_SHORTEST_SECRET = 8


class Decoder(Protocol):
    """Turns the events of one answer into ours."""

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        """Our events for one event of the provider. Raises the errors of ``provider/errors.py``."""
        ...

    def finish(self) -> Iterable[StreamEvent]:
        """The last events, once the stream has ended. Raises ``ApiCallFailed`` when it was cut."""
        ...


class Framing(Protocol):
    """Cuts the bytes of an answer into the events it is made of."""

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """The events that are complete now. Raises ``EventTooLarge``, ``StreamFault``."""
        ...

    def rest(self) -> Iterable[bytes]:
        """What is left at the end."""
        ...


class PlainHttp:
    """Most wires: server-sent events, and credentials that are plain headers."""

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        return None

    def framing(self) -> Framing:
        return SseReader()


class WireFormat(Protocol):
    """One way of talking to a provider."""

    def base_url(self, connection: Connection) -> str:
        """Where the provider is. Raises ``ProviderInitFailed`` when nothing says it."""
        ...

    def path(self, connection: Connection, request: ModelRequest) -> str:
        """Where below the base URL a request goes."""
        ...

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """What names us to the provider. Raises ``ProviderAuthFailed`` when a key is needed and there is none."""
        ...

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """The JSON body of a request."""
        ...

    def decoder(self, request: ModelRequest) -> Decoder:
        """A reader for one answer."""
        ...

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        """What signs requests where a header of :meth:`headers` is not enough: it may look at the body, and wait."""
        ...

    def framing(self) -> "Framing":
        """What cuts the bytes of an answer into events."""
        ...


def merged_headers(*layers: Mapping[str, str]) -> dict[str, str]:
    """The headers over one another, lowest first, whatever their case; lists of betas are joined."""
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.items():
            key = name.lower()
            merged[key] = f"{merged[key]},{value}" if key == "anthropic-beta" and key in merged else value
    return merged


def _without_sent(response: "httpx2.Response", text: str) -> str:
    """What a provider says without the credentials it was sent: some repeat them when they refuse them."""
    sent = response.request.headers
    hidden = [name for name, value in masked_headers(sent).items() if value == MASK and name not in _OF_THE_TRANSPORT]
    for secret in (sent[name].rpartition(" ")[2] for name in hidden):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


def _is_no_stream(kind: str, head: bytes) -> bool:
    """Whether an answer without events is a page or an error. Some servers call their streams pages, too."""
    return kind.startswith(PAGES) or json_error(head) is not None


def _last_events(reader: Framing, decoder: Decoder) -> Iterator[StreamEvent]:
    """Those of what is left at the end. What is not whole there was cut, not malformed."""
    try:
        for data in reader.rest():
            yield from decoder.feed(data)
    except StreamFault:
        raise ended_early() from None


async def _beginning(response: "httpx2.Response") -> bytes:
    """What an answer that is no stream says, as far as it comes soon; the status says enough without."""
    import httpx2  # already loaded: a request was made

    body = b""
    with anyio.move_on_after(ERROR_BODY_SECONDS), suppress(httpx2.TransportError, httpx2.DecodingError):
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ERROR_BYTES:
                break
    return body


class HttpModel:
    """A ``LanguageModel`` over one wire format. Makes exactly one request per call and never retries.

    Nothing is read ahead: the consumer's pace is the socket's. Leaving the context closes the response, and with
    it the connection when the answer was not read to its end.
    """

    def __init__(self, connection: Connection, wire: WireFormat) -> None:
        self._connection = connection
        self._wire = wire
        self._base_url = wire.base_url(connection)
        self._auth = wire.auth(connection)
        self._client: httpx2.AsyncClient | None = None
        self._making = Lock()

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Open one answer; see ``LanguageModel``."""
        return self._open(normalised(request))

    def preload(self) -> None:
        """Import what the first call needs and make the client."""
        self._http()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    @asynccontextmanager
    async def _open(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        response = await self._send(request)
        try:
            if response.status_code >= 300:
                raise await self._failure(response)
            yield self._events(response, self._wire.decoder(request))
        finally:
            # Also when cancelled: the socket must be closed now, not by the garbage collector.
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await response.aclose()

    async def _send(self, request: ModelRequest) -> "httpx2.Response":
        import httpx2  # slow to import: only where a request is made

        if self._connection.refusal is not None:
            raise ProviderAuthFailed(ProviderID(self._connection.provider_id), self._connection.refusal)
        headers = merged_headers(
            {"content-type": "application/json", "user-agent": USER_AGENT},
            self._wire.headers(self._connection, request),
            self._connection.headers,
            request.model.headers,
            request.headers,
        )
        client = self._http()
        url = self._base_url + self._wire.path(self._connection, request)
        call = client.build_request("POST", url, headers=headers, content=encode(self._wire.body(request)))
        seconds = self._connection.header_timeout_seconds
        try:
            with anyio.fail_after(seconds):
                return await client.send(call, stream=True, auth=self._auth)
        except (TimeoutError, httpx2.TimeoutException):
            raise timeout_failure("The provider's answer", seconds) from None
        except (httpx2.TransportError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            answered = isinstance(error, httpx2.ReadError | httpx2.RemoteProtocolError)
            raise connection_failure(error, answered=answered) from error

    async def _events(self, response: "httpx2.Response", decoder: Decoder) -> AsyncIterator[StreamEvent]:
        import httpx2  # already loaded: a request was made

        reader, head, answered, size, heard = self._wire.framing(), b"", False, 0, time.monotonic()
        count = 0
        limit, kind = self._connection.chunk_timeout_seconds, response.headers.get("content-type", "").lower()
        try:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > LARGEST_ANSWER_BYTES:
                    raise EventTooLarge
                if not answered and len(head) < LARGEST_ERROR_BYTES:
                    head += chunk
                for data in reader.feed(chunk):
                    answered, heard = True, 0.0
                    for event in decoder.feed(data):
                        yield event
                    count += 1
                    if count % EVENTS_IN_A_ROW == 0:
                        await anyio.lowlevel.checkpoint()
                if not heard:
                    heard = time.monotonic()
                elif limit is not None and time.monotonic() - heard > NOISE_PATIENCE * limit:
                    raise timeout_failure("More of the answer", NOISE_PATIENCE * limit)
            for event in _last_events(reader, decoder):
                yield event
        except httpx2.TimeoutException:
            raise timeout_failure("More of the answer", limit) from None
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.StreamError) as error:
            raise connection_failure(error, answered=True) from error
        except EventTooLarge:
            raise StreamFault("The provider sent an answer of unreasonable size") from None
        except StreamFault:
            if not answered and _is_no_stream(kind, head):
                raise not_a_stream(kind, head) from None
            raise
        if not answered and _is_no_stream(kind, head):
            raise not_a_stream(kind, head)
        for event in decoder.finish():
            yield event

    async def _failure(self, response: "httpx2.Response") -> ModelCallError:
        body = await _beginning(response)
        return http_failure(
            status=response.status_code,
            reason=response.reason_phrase,
            headers={name: _without_sent(response, value) for name, value in response.headers.items()},
            body=_without_sent(response, body.decode("utf-8", "replace")),
            url=without_user(str(response.request.url)),
            provider_id=self._connection.provider_id,
        )

    def _http(self) -> "httpx2.AsyncClient":
        # ``preload`` comes from a thread: of two clients, nobody would close the first.
        with self._making:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> "httpx2.AsyncClient":
        import httpx2  # slow to import: only where a request is made

        timeout = httpx2.Timeout(
            connect=CONNECT_SECONDS, read=self._connection.chunk_timeout_seconds, write=None, pool=None
        )
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)
        return httpx2.AsyncClient(timeout=timeout, limits=limits, follow_redirects=False)
