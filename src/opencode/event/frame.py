"""One event, encoded: what the log and memory keep, and what goes to every stream."""

from collections.abc import Callable
from typing import Any, Final

from opencode.core.ids import EventID, SessionID
from opencode.core.wire import decode, encode
from opencode.event.schema import Event, EventScope

_OVERHEAD_BYTES: Final = 300


class Frame:
    """An event with its place in the order. ``payload`` is ``{"id","type","properties"}`` as JSON.

    ``scope_json`` is the start of its envelope on ``/global/event``; empty for events of a single stream. The streams
    of its directory end after a frame that ``ends``.
    """

    __slots__ = ("ends", "payload", "scope_json", "seq", "session_id", "type")

    def __init__(
        self, seq: int, id: EventID, type: str, properties: bytes, scope_json: bytes,
        session_id: SessionID | None = None, *, ends: bool = False,
    ) -> None:  # fmt: skip
        self.seq = seq
        self.type = type
        # Ids and types need no escaping.
        self.payload = b'{"id":"%b","type":"%b","properties":%b}' % (id.encode(), type.encode(), properties)
        self.scope_json = scope_json
        self.session_id = session_id
        self.ends = ends

    @property
    def memory(self) -> int:
        """Roughly the bytes it occupies."""
        return len(self.payload) + _OVERHEAD_BYTES


Envelope = Callable[[Frame], bytes | None]
"""How a stream shows a frame: one line of JSON, or None for what it leaves out."""


def directory_envelope(frame: Frame) -> bytes:
    """``/event``: ``{"id","type","properties"}``."""
    return frame.payload


def global_envelope(frame: Frame) -> bytes:
    """``/global/event``: ``{"directory","project"?,"payload"}``; only ``payload`` for events of the stream itself."""
    return b"%b%b}" % (frame.scope_json or b'{"payload":', frame.payload)


def session_envelope(session_id: SessionID) -> Envelope:
    """``/session/{id}/event``: that session's events, and those of the stream and the instance.

    In both shapes that clients look for: ``{"id","type","properties"}``, and the same again as ``payload``. There a
    delta is a ``message.part.updated`` with a ``delta``, as it was before deltas had a type of their own.
    """

    def show(frame: Frame) -> bytes | None:
        if frame.session_id != session_id and not frame.type.startswith("server."):
            return None
        payload = _older_delta(frame.payload) if frame.type == "message.part.delta" else frame.payload
        return b'%b,"payload":%b}' % (frame.payload[:-1], payload)

    return show


def _older_delta(payload: bytes) -> bytes:
    event = decode(payload, dict[str, Any])
    of = event["properties"]
    part = {"id": of["partID"], "sessionID": of["sessionID"], "messageID": of["messageID"]}
    return encode(
        {"id": event["id"], "type": "message.part.updated", "properties": {"part": part, "delta": of["delta"]}}
    )


def local_frame(event: Event, id: EventID) -> Frame:
    """An event of a single stream: without a place in the order, without a scope."""
    return Frame(0, id, event.type, encode(event), b"", getattr(event, "session_id", None) or None)


def scope_json(scope: EventScope) -> bytes:
    """The start of the envelope of every event of a scope, up to the payload."""
    project = b'"project":%b,' % encode(scope.project) if scope.project else b""
    return b'{"directory":%b,%b"payload":' % (encode(scope.directory), project)


def sse(data: bytes, cursor: bytes | None) -> bytes:
    """One message of a stream. Without a cursor the client keeps the one it has."""
    return b"data: %b\n\n" % data if cursor is None else b"id: %b\ndata: %b\n\n" % (cursor, data)
