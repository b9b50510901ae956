"""Permission rules, requests and replies as they are stored and sent, and their events."""

from typing import Any, ClassVar, Literal

from opencode.core.ids import PermissionID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event

PermissionAction = Literal["allow", "deny", "ask"]
PermissionReply = Literal["once", "always", "reject"]


class PermissionRule(Wire):
    """What to do when ``permission`` (a wildcard) is wanted for something matching ``pattern`` (a wildcard)."""

    permission: str
    pattern: str
    action: PermissionAction


PermissionRuleset = list[PermissionRule]
"""Rules in order; the last one that matches decides."""


class ToolCallRef(Wire):
    """The tool call that asks."""

    message_id: str
    call_id: str


class PermissionRequest(Wire):
    """One ask that waits for a reply. ``always``: the patterns that "always" would allow."""

    id: PermissionID
    session_id: SessionID
    permission: str
    patterns: list[str]
    metadata: dict[str, Any]
    always: list[str]
    tool: ToolCallRef | UnsetType = UNSET


class PermissionAsked(Event):
    """A rule said "ask"; the fields are those of the request."""

    type: ClassVar[str] = "permission.asked"
    id: PermissionID
    session_id: SessionID
    permission: str
    patterns: list[str]
    metadata: dict[str, Any]
    always: list[str]
    tool: ToolCallRef | UnsetType = UNSET


class PermissionReplied(Event):
    """A request was settled."""

    type: ClassVar[str] = "permission.replied"
    session_id: SessionID
    request_id: PermissionID
    reply: PermissionReply
