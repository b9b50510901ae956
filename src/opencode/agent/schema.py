"""Agents as they are sent to clients (spec: agents and permissions, section 1)."""

from typing import Any, Literal

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.permission.schema import PermissionRuleset
from opencode.provider.schema import ModelRef

Number = int | float
AgentMode = Literal["subagent", "primary", "all"]


class Agent(Wire):
    """Who answers: a prompt, rules, and settings for the model.

    ``native``: built in. ``hidden``: not offered to users. ``steps``: the most model calls for one prompt.
    ``prompt`` replaces the base prompt of the model's family.
    """

    name: str
    description: str | UnsetType = UNSET
    mode: AgentMode
    native: bool | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    top_p: Number | UnsetType = UNSET
    temperature: Number | UnsetType = UNSET
    color: str | UnsetType = UNSET
    permission: PermissionRuleset
    model: ModelRef | UnsetType = UNSET
    variant: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    options: dict[str, Any]
    steps: Number | UnsetType = UNSET

    @property
    def is_visible(self) -> bool:
        """Whether users may be told of it."""
        return self.hidden is not True

    @property
    def is_primary(self) -> bool:
        """Whether a user can choose it to answer."""
        return self.is_visible and self.mode != "subagent"
