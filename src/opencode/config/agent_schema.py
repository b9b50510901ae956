"""Agents and slash commands as configuration files and front matter write them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from opencode.config.part import ConfigPart, Number, Positive, Text, alternatives, component
from opencode.config.permission_schema import PermissionConfig, check_permission
from opencode.core.wire import UNSET, UnsetType, Wire

AGENT_COLORS = ("primary", "secondary", "accent", "success", "warning", "error", "info")
HEX_COLOR = "^#[0-9a-fA-F]{6}$"
AgentColor = Annotated[
    str,
    Meta(
        pattern=f"{HEX_COLOR}|^({'|'.join(AGENT_COLORS)})$",
        description="The agent's colour in clients: `#rrggbb` or the name of a theme colour.",
        extra_json_schema=alternatives(
            {"type": "string", "pattern": HEX_COLOR}, {"type": "string", "enum": list(AGENT_COLORS)}
        ),
    ),
]


class AgentConfig(Wire, rename={}):
    """An agent, new or changed. Unknown keys are options for the model; loading moves them into ``options``.

    In a loaded configuration ``options`` and ``permission`` (a map) are always present.
    """

    name: Text = UNSET  # of agents read from Markdown
    model: Annotated[str, Meta(description="The model, as `provider/model`.")] | UnsetType = UNSET
    variant: Annotated[str, Meta(description="The variant of the model, such as a reasoning effort.")] | UnsetType = (
        UNSET
    )
    temperature: Annotated[Number, Meta(description="Sampling temperature.")] | UnsetType = UNSET
    top_p: Annotated[Number, Meta(description="Nucleus sampling.")] | UnsetType = UNSET
    prompt: Annotated[str, Meta(description="The agent's system prompt.")] | UnsetType = UNSET
    tools: (
        Annotated[dict[str, bool], Meta(description="Deprecated: use `permission`. Tools switched on or off.")]
        | UnsetType
    ) = UNSET
    disable: Annotated[bool, Meta(description="Remove the agent, built-in ones too.")] | UnsetType = UNSET
    description: Annotated[str, Meta(description="When to use the agent; other agents read it.")] | UnsetType = UNSET
    mode: (
        Annotated[
            Literal["subagent", "primary", "all"],
            Meta(description="`primary`: can be chosen by the user. `subagent`: is called by agents. `all`: both."),
        ]
        | UnsetType
    ) = UNSET
    hidden: Annotated[bool, Meta(description="Leave a subagent out of completions.")] | UnsetType = UNSET
    options: Annotated[dict[str, Any], Meta(description="Options for the model, passed on as they are.")] = {}
    color: AgentColor | UnsetType = UNSET
    steps: Annotated[Positive, Meta(description="The most model calls for one prompt.")] | UnsetType = UNSET
    max_steps: Annotated[Positive, Meta(description="Deprecated: use `steps`.")] | UnsetType = field(
        default=UNSET, name="maxSteps"
    )
    permission: PermissionConfig = {}

    def __post_init__(self) -> None:
        check_permission(self.permission)


Agents = dict[str, AgentConfig]


def known_agents(*names: str) -> dict[str, Any]:
    """The agents that editors should offer."""
    return {"properties": {name: component("AgentConfig") for name in names}}


AGENT_KEYS = frozenset(AgentConfig.__struct_encode_fields__)


class CommandConfig(ConfigPart):
    """A slash command."""

    template: Annotated[str, Meta(description="The prompt. `$ARGUMENTS` and `$1`, `$2` ... are what the user typed.")]
    description: Annotated[str, Meta(description="What the command does.")] | UnsetType = UNSET
    agent: Annotated[str, Meta(description="The agent that runs it.")] | UnsetType = UNSET
    model: Annotated[str, Meta(description="The model, as `provider/model`.")] | UnsetType = UNSET
    variant: Annotated[str, Meta(description="The variant of the model.")] | UnsetType = UNSET
    subtask: Annotated[bool, Meta(description="Run it in a session of its own.")] | UnsetType = UNSET
