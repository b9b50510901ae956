"""One connection to an event stream, byte by byte, so that it can be cut and slowed anywhere."""

import asyncio
import json
import socket
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httptools

SMALL_BUFFER = 4096


class StreamEnded(Exception):
    """The server ended the stream, or was ended."""


@dataclass(frozen=True)
class Message:
    """One message: its id line, if it had one, and its data."""

    id: str | None
    data: Any

    @property
    def payload(self) -> dict[str, Any]:
        """``{id, type, properties}`` without the envelope of ``/global/event``."""
        payload: dict[str, Any] = self.data.get("payload", self.data)
        return payload


class Connection:
    """An open stream. ``small``: the system keeps little for it, so that not reading is felt by the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpResponseParser(self)
        self._text = b""
        self._complete = False
        self._refused = False
        self.bytes_read = 0

    @classmethod
    async def open(cls, url: str, path: str, cursor: str | None = None, *, small: bool = False) -> Self:
        """Raises ``OSError`` when nobody listens."""
        place = urlsplit(url)
        assert place.hostname is not None
        plain = socket.socket()
        plain.setblocking(False)
        try:
            if small:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            await asyncio.get_running_loop().sock_connect(plain, (place.hostname, place.port))
        except BaseException:
            plain.close()
            raise
        reader, writer = await asyncio.open_connection(sock=plain, limit=SMALL_BUFFER if small else 1 << 18)
        last_event_id = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n{last_event_id}\r\n".encode())
        return cls(reader, writer)

    async def read(self, at_most: int = 1 << 18) -> list[Message]:
        """The messages completed by the next bytes; may be none. Raises ``StreamEnded``."""
        if self._complete:
            raise StreamEnded
        try:
            data = await self._reader.read(at_most)
        except ConnectionError as error:
            raise StreamEnded from error
        if not data:
            raise StreamEnded
        self.bytes_read += len(data)
        self._parser.feed_data(data)
        if self._refused:
            raise StreamEnded("the server refused the stream")
        return self._messages()

    def cut(self) -> None:
        """Break it off at once; what was on the way is lost."""
        self._writer.transport.abort()

    def _messages(self) -> list[Message]:
        *blocks, self._text = self._text.split(b"\n\n")
        messages = []
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n"))
            id = fields.get(b"id")
            messages.append(Message(None if id is None else id.decode(), json.loads(fields[b"data"])))
        return messages

    # --- the parser's side --------------------------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._refused = self._parser.get_status_code() != 200

    def on_body(self, body: bytes) -> None:
        self._text += body

    def on_message_complete(self) -> None:
        self._complete = True
