"""The framing of Amazon's event streams, from the library botocore (the extra ``bedrock``)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from botocore.eventstream import EventStreamBuffer, EventStreamMessage, ParserError

from opencode.core.wire import encode
from opencode.provider.errors import StreamFault


class EventStreamReader:
    """Cuts an answer into ``{"<type>": payload}``; an exception becomes ``{"exception": {"type", "message"}}``."""

    def __init__(self) -> None:
        self._buffer = EventStreamBuffer()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that are complete now. Raises ``StreamFault`` for bytes that are damaged."""
        self._buffer.add_data(chunk)
        try:
            for message in self._buffer:
                yield _event(message)
        except ParserError as error:
            raise StreamFault(f"The provider sent a damaged stream: {error}") from error

    def rest(self) -> Iterator[bytes]:
        """Nothing: what is not complete was cut."""
        return iter(())


def _event(message: EventStreamMessage) -> bytes:
    payload = message.payload or b"{}"
    headers: Mapping[str, Any] = message.to_response_dict()["headers"]
    kind = headers.get(":event-type")
    if headers.get(":message-type") == "event" and kind:
        return b'{"%b":%b}' % (str(kind).encode(), payload)
    failed = str(headers.get(":exception-type") or headers.get(":error-code") or "error")
    text = headers.get(":error-message") or _message(payload)
    return encode({"exception": {"type": failed, "message": text}})


def _message(payload: bytes) -> str:
    try:
        said = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode("utf-8", "replace")
    return str(said.get("message") or said.get("Message") or "") if isinstance(said, dict) else str(said)
