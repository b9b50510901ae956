"""Slash commands as they are sent to clients (spec: commands and skills, section 1)."""

from typing import Literal

from opencode.core.wire import UNSET, UnsetType, Wire


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
