"""The shape of a configuration file and of the merged result (spec: configuration, section 6).

Field names are the wire names here (most are snake_case in files too); the camelCase ones are given one by one.
A struct refuses unknown keys unless it says otherwise. Descriptions are shown to users: ``docs/configuration.md``
and the API document are made from them.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from opencode.config.agent_schema import AgentConfig, Agents, CommandConfig, known_agents
from opencode.config.part import ConfigPart, NotNegative, Number, Positive
from opencode.config.permission_schema import (
    PermissionActionConfig,
    PermissionConfig,
    PermissionObjectConfig,
    PermissionRuleConfig,
    check_permission,
)
from opencode.config.provider_schema import ModelConfig, ProviderConfig
from opencode.config.server_schema import ServerConfig
from opencode.config.service_schema import (
    FormatterConfig,
    LspConfig,
    LspEntry,
    LspServerConfig,
    McpConfig,
    McpEntry,
    McpLocalConfig,
    McpRemoteConfig,
    References,
    check_references,
)
from opencode.config.spending_schema import BudgetConfig, Fallbacks, RetryConfig, check_fallbacks
from opencode.core.wire import UNSET, UnsetType

__all__ = [
    "AgentConfig",
    "BudgetConfig",
    "CommandConfig",
    "Config",
    "FormatterConfig",
    "LspConfig",
    "LspServerConfig",
    "McpConfig",
    "McpLocalConfig",
    "McpRemoteConfig",
    "ModelConfig",
    "PermissionActionConfig",
    "PermissionConfig",
    "PermissionObjectConfig",
    "PermissionRuleConfig",
    "ProviderConfig",
    "RetryConfig",
    "ServerConfig",
]

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARN", "ERROR"], Meta(description="The least severe messages that are logged.")
]
LayoutConfig = Annotated[Literal["auto", "stretch"], Meta(description="Deprecated and ignored.")]
PolicyEffect = Literal["allow", "deny"]


class SkillsConfig(ConfigPart):
    """Where more skills are."""

    paths: Annotated[list[str], Meta(description="Folders.")] | UnsetType = UNSET
    urls: Annotated[list[str], Meta(description="Addresses of indexes.")] | UnsetType = UNSET


class WatcherConfig(ConfigPart):
    """What the file watcher leaves out."""

    ignore: Annotated[list[str], Meta(description="Globs.")] | UnsetType = UNSET


class ImageAttachmentConfig(ConfigPart):
    """How large images may be. Larger ones are made smaller (with the extra ``images``)."""

    auto_resize: (
        Annotated[bool, Meta(description="Make large images smaller; `true` unless said otherwise.")] | UnsetType
    ) = UNSET
    max_width: Annotated[Positive, Meta(description="Pixels; 2000.")] | UnsetType = UNSET
    max_height: Annotated[Positive, Meta(description="Pixels; 2000.")] | UnsetType = UNSET
    max_base64_bytes: Annotated[Positive, Meta(description="Bytes, encoded; 5 MiB.")] | UnsetType = UNSET


class AttachmentConfig(ConfigPart):
    """How files sent to a model are prepared."""

    image: Annotated[ImageAttachmentConfig, Meta(description="Images.")] | UnsetType = UNSET


class EnterpriseConfig(ConfigPart):
    """The server that shared sessions go to."""

    url: Annotated[str, Meta(description="Its address.")] | UnsetType = UNSET


class ToolOutputConfig(ConfigPart):
    """How much of a tool's output the model sees; the rest is kept in a file."""

    max_lines: Annotated[Positive, Meta(description="Lines.")] | UnsetType = UNSET
    max_bytes: Annotated[Positive, Meta(description="Bytes.")] | UnsetType = UNSET


class CompactionConfig(ConfigPart):
    """What happens when a conversation outgrows the model's context."""

    auto: Annotated[bool, Meta(description="Summarise by itself. Default: true.")] | UnsetType = UNSET
    prune: Annotated[bool, Meta(description="Forget old tool outputs. Default: true.")] | UnsetType = UNSET
    tail_turns: Annotated[NotNegative, Meta(description="The last turns to keep word for word.")] | UnsetType = UNSET
    preserve_recent_tokens: (
        Annotated[NotNegative, Meta(description="The last tokens to keep word for word.")] | UnsetType
    ) = UNSET
    reserved: Annotated[NotNegative, Meta(description="Tokens to leave free.")] | UnsetType = UNSET


class ConfigV2ExperimentalPolicy(ConfigPart):
    """Allows or denies something to the whole server."""

    action: Literal["provider.use"]
    effect: PolicyEffect
    resource: str


class ExperimentalConfig(ConfigPart):
    """Settings that may change."""

    disable_paste_summary: Annotated[bool, Meta(description="Show pasted text in full.")] | UnsetType = UNSET
    batch_tool: Annotated[bool, Meta(description="Offer a tool that runs several others.")] | UnsetType = UNSET
    open_telemetry: Annotated[bool, Meta(description="Record spans of model calls.")] | UnsetType = field(
        default=UNSET, name="openTelemetry"
    )
    primary_tools: Annotated[list[str], Meta(description="Tools that only primary agents have.")] | UnsetType = UNSET
    continue_loop_on_deny: Annotated[bool, Meta(description="Go on after a refused permission.")] | UnsetType = UNSET
    mcp_timeout: Annotated[Positive, Meta(description="Milliseconds for one MCP call.")] | UnsetType = UNSET
    doom_loop_steps: (
        Annotated[bool, Meta(description="Also ask (`doom_loop`) about calls repeated over several model calls; ours.")]
        | UnsetType
    ) = UNSET
    policies: (
        Annotated[list[ConfigV2ExperimentalPolicy], Meta(description="What is allowed and denied to the whole server.")]
        | UnsetType
    ) = UNSET


class ScrollAccelerationConfig(ConfigPart):
    """Scrolling that speeds up."""

    enabled: bool


class TuiConfig(ConfigPart):
    """How the terminal interface behaves; newer clients keep this in ``tui.json``."""

    scroll_speed: Annotated[Number, Meta(description="Lines per wheel step.")] | UnsetType = UNSET
    scroll_acceleration: (
        Annotated[ScrollAccelerationConfig, Meta(description="Scrolling that speeds up.")] | UnsetType
    ) = UNSET
    diff_style: Annotated[Literal["auto", "stacked"], Meta(description="How differences are laid out.")] | UnsetType = (
        UNSET
    )


PluginSpec = str | tuple[str, dict[str, Any]]
"""A package, path or URL, alone or with its options."""


BUILT_IN_AGENTS = ("plan", "build", "general", "explore", "title", "summary", "compaction")


class Config(ConfigPart):
    """A whole configuration. ``agent``, ``mode``, ``plugin``, ``command`` and ``username`` are always in the result."""

    schema: Annotated[str, Meta(description="The JSON schema, for editors.")] | UnsetType = field(
        default=UNSET, name="$schema"
    )
    shell: Annotated[str, Meta(description="The shell of terminals and of the `bash` tool.")] | UnsetType = UNSET
    log_level: LogLevel | UnsetType = field(default=UNSET, name="logLevel")
    server: ServerConfig | UnsetType = UNSET
    command: Annotated[dict[str, CommandConfig], Meta(description="Slash commands by name.")] = {}
    skills: Annotated[SkillsConfig, Meta(description="Where more skills are.")] | UnsetType = UNSET
    references: (
        Annotated[References, Meta(description="Directories and repositories to consult, by name.")] | UnsetType
    ) = UNSET
    reference: Annotated[References, Meta(description="Deprecated: use `references`.")] | UnsetType = UNSET
    watcher: Annotated[WatcherConfig, Meta(description="The file watcher.")] | UnsetType = UNSET
    snapshot: (
        Annotated[bool, Meta(description="Keep snapshots of the files, so that changes can be undone. Default: true.")]
        | UnsetType
    ) = UNSET
    plugin: Annotated[list[PluginSpec], Meta(description="Plugins: packages, paths or `file://` URLs.")] = []
    share: (
        Annotated[
            Literal["manual", "auto", "disabled"], Meta(description="When sessions are shared. Default: `manual`.")
        ]
        | UnsetType
    ) = UNSET
    autoshare: Annotated[bool, Meta(description="Deprecated: use `share`.")] | UnsetType = UNSET
    autoupdate: (
        Annotated[
            bool | Literal["notify"],
            Meta(description="Whether to update by itself; `notify`: only tell of new versions."),
        ]
        | UnsetType
    ) = UNSET
    disabled_providers: Annotated[list[str], Meta(description="Providers never to use.")] | UnsetType = UNSET
    enabled_providers: Annotated[list[str], Meta(description="The only providers to use.")] | UnsetType = UNSET
    model: Annotated[str, Meta(description="The default model, as `provider/model`.")] | UnsetType = UNSET
    small_model: (
        Annotated[str, Meta(description="The model for small tasks such as titles, as `provider/model`.")] | UnsetType
    ) = UNSET
    model_fallback: (
        Annotated[
            Fallbacks,
            Meta(
                description="The models to go on with when one cannot be reached, in order, as `provider/model`: a"
                " list, or a list for each model (`*`: any other); ours."
            ),
        ]
        | UnsetType
    ) = UNSET
    retry: Annotated[RetryConfig, Meta(description="Retries of failed model calls; ours.")] | UnsetType = UNSET
    budget: Annotated[BudgetConfig, Meta(description="What may be spent on models; ours.")] | UnsetType = UNSET
    default_agent: (
        Annotated[str, Meta(description="The agent to start with: a primary one. Default: `build`.")] | UnsetType
    ) = UNSET
    subagent_depth: (
        Annotated[NotNegative, Meta(description="How deep agents may call agents; 0: not at all.")] | UnsetType
    ) = UNSET
    username: Annotated[str, Meta(description="The user's name. Default: that of the operating system.")] = ""
    mode: Annotated[
        Agents, Meta(description="Deprecated: use `agent`.", extra_json_schema=known_agents("build", "plan"))
    ] = {}
    agent: Annotated[
        Agents,
        Meta(description="Agents by name, new and built-in ones.", extra_json_schema=known_agents(*BUILT_IN_AGENTS)),
    ] = {}
    provider: Annotated[dict[str, ProviderConfig], Meta(description="Model providers by id.")] | UnsetType = UNSET
    mcp: Annotated[dict[str, McpEntry], Meta(description="MCP servers by name.")] | UnsetType = UNSET
    formatter: (
        Annotated[
            bool | dict[str, FormatterConfig],
            Meta(description="Formatters to run on changed files. `true`: the built-in ones. Default: none."),
        ]
        | UnsetType
    ) = UNSET
    lsp: (
        Annotated[
            bool | dict[str, LspEntry],
            Meta(description="Language servers. `true`: the built-in ones. Default: none."),
        ]
        | UnsetType
    ) = UNSET
    instructions: (
        Annotated[list[str], Meta(description="More instructions for the model: paths, globs or URLs.")] | UnsetType
    ) = UNSET
    layout: LayoutConfig | UnsetType = UNSET
    permission: PermissionConfig | UnsetType = UNSET
    tools: (
        Annotated[dict[str, bool], Meta(description="Deprecated: use `permission`. Tools switched on or off.")]
        | UnsetType
    ) = UNSET
    attachment: Annotated[AttachmentConfig, Meta(description="Files sent to models.")] | UnsetType = UNSET
    enterprise: Annotated[EnterpriseConfig, Meta(description="A sharing server of one's own.")] | UnsetType = UNSET
    tool_output: Annotated[ToolOutputConfig, Meta(description="Limits of tool outputs.")] | UnsetType = UNSET
    compaction: Annotated[CompactionConfig, Meta(description="What happens when the context is full.")] | UnsetType = (
        UNSET
    )
    experimental: Annotated[ExperimentalConfig, Meta(description="Settings that may change.")] | UnsetType = UNSET
    theme: Annotated[str, Meta(description="Theme of the terminal interface; ignored by the server.")] | UnsetType = (
        UNSET
    )
    keybinds: (
        Annotated[dict[str, str], Meta(description="Keys of the terminal interface; ignored by the server.")]
        | UnsetType
    ) = UNSET
    tui: Annotated[TuiConfig, Meta(description="The terminal interface; ignored by the server.")] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.permission is not UNSET:
            check_permission(self.permission)
        check_references(self.references)
        check_references(self.reference)
        check_fallbacks(self.model_fallback)
