"""What only clients see: event envelopes, and answers that no record describes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from opencode.agent.schema import Agent
from opencode.core.wire import Wire
from opencode.event.schema import Event
from opencode.permission.schema import PermissionAsked, PermissionReplied
from opencode.provider.schema import Provider
from opencode.question.schema import QuestionAsked, QuestionRejected, QuestionReplied
from opencode.session.schema import (
    MessagePartDelta,
    MessagePartRemoved,
    MessagePartUpdated,
    MessageRemoved,
    MessageUpdated,
    SessionCreated,
    SessionDeleted,
    SessionDiff,
    SessionErrored,
    SessionIdle,
    SessionStatusChanged,
    SessionUpdated,
    TodoUpdated,
)

__all__ = [
    "Agent",
    "Health",
    "OtherEvent",
    "ProvidersAnswer",
    "ServerConnected",
    "ServerResync",
    "parse_event",
]


class Health(Wire):
    """The answer of ``GET /global/health``."""

    healthy: bool
    version: str


class ProvidersAnswer(Wire):
    """The usable providers, and the default model of each."""

    providers: list[Provider]
    default: dict[str, str]


class ServerConnected(Event):
    """The stream is open: what happens from now on will be on it."""

    type = "server.connected"


class ServerResync(Event):
    """Events were missed that cannot be given again: reload what you show. Ours."""

    type = "server.resync"


class OtherEvent(Event):
    """An event this client has no type for."""

    type = ""
    kind: str
    properties: Any


class _Envelope(Wire):
    type: str
    properties: msgspec.Raw = msgspec.Raw(b"{}")


_KNOWN: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        kind.type: kind
        for kind in (
            MessagePartDelta,
            MessagePartRemoved,
            MessagePartUpdated,
            MessageRemoved,
            MessageUpdated,
            PermissionAsked,
            PermissionReplied,
            QuestionAsked,
            QuestionRejected,
            QuestionReplied,
            ServerConnected,
            ServerResync,
            SessionCreated,
            SessionDeleted,
            SessionDiff,
            SessionErrored,
            SessionIdle,
            SessionStatusChanged,
            SessionUpdated,
            TodoUpdated,
        )
    }
)


def parse_event(data: str) -> Event:
    """The typed event of one ``data:`` line of ``GET /event``; :class:`OtherEvent` for types that are not known here.

    Raises ``msgspec.DecodeError`` for what is no event, ``msgspec.ValidationError`` for wrong properties.
    """
    envelope = msgspec.json.decode(data, type=_Envelope)
    kind = _KNOWN.get(envelope.type)
    if kind is None:
        return OtherEvent(kind=envelope.type, properties=msgspec.json.decode(envelope.properties))
    return msgspec.json.decode(envelope.properties, type=kind)
