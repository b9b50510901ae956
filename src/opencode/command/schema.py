"""Slash commands as they are sent to clients (spec: commands and skills, section 1)."""

from typing import ClassVar, Literal

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event


class Command(Wire):
    """A prompt under a name. ``hints``: the placeholders of the template. ``subtask``: runs in a child session."""

    name: str
    description: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    source: Literal["command", "mcp", "skill"] | UnsetType = UNSET
    template: str
    subtask: bool | UnsetType = UNSET
    hints: list[str]


class CommandExecuted(Event):
    """A command was run and answered. ``message_id``: the answer; ``arguments``: as they were given."""

    type: ClassVar[str] = "command.executed"
    name: str
    session_id: SessionID
    arguments: str
    message_id: MessageID
