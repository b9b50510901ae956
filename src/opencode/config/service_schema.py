"""What runs beside the agent: MCP servers, language servers, formatters, and directories to consult."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from opencode.config.part import ConfigPart, Positive, alternatives, component
from opencode.core.wire import UNSET, UnsetType

# --- MCP servers -----------------------------------------------------------------------------------------------------


class McpConfig:
    """One entry of ``mcp``: :class:`McpLocalConfig`, :class:`McpRemoteConfig` or :class:`McpSwitchConfig`."""

    __slots__ = ()


class McpLocalConfig(ConfigPart, McpConfig, tag_field="type", tag="local"):
    """A server that is started as a child process."""

    command: Annotated[list[str], Meta(description="The program and its arguments.")]
    cwd: Annotated[str, Meta(description="Where it runs, relative to the project.")] | UnsetType = UNSET
    environment: Annotated[dict[str, str], Meta(description="More environment variables.")] | UnsetType = UNSET
    enabled: Annotated[bool, Meta(description="`false`: not started.")] | UnsetType = UNSET
    timeout: Annotated[Positive, Meta(description="Milliseconds to wait for an answer.")] | UnsetType = UNSET


class McpOAuthConfig(ConfigPart):
    """How to sign in, where the server does not say."""

    client_id: Annotated[str, Meta(description="The client's id, where it cannot register itself.")] | UnsetType = (
        field(default=UNSET, name="clientId")
    )
    client_secret: Annotated[str, Meta(description="Its secret.")] | UnsetType = field(
        default=UNSET, name="clientSecret"
    )
    scope: Annotated[str, Meta(description="What to ask for.")] | UnsetType = UNSET
    callback_port: (
        Annotated[Annotated[int, Meta(ge=1, le=65535)], Meta(description="The local port that the browser returns to.")]
        | UnsetType
    ) = field(default=UNSET, name="callbackPort")
    redirect_uri: Annotated[str, Meta(description="The address that the browser returns to.")] | UnsetType = field(
        default=UNSET, name="redirectUri"
    )


_OAUTH_DOCUMENT = alternatives(component("McpOAuthConfig"), {"type": "boolean", "enum": [False]})


class McpRemoteConfig(ConfigPart, McpConfig, tag_field="type", tag="remote"):
    """A server that is reached by HTTP."""

    url: Annotated[str, Meta(description="The server's address.")]
    enabled: Annotated[bool, Meta(description="`false`: not connected.")] | UnsetType = UNSET
    headers: Annotated[dict[str, str], Meta(description="Headers for each request.")] | UnsetType = UNSET
    oauth: (
        Annotated[
            McpOAuthConfig | bool,
            Meta(description="How to sign in; `false`: never try.", extra_json_schema=_OAUTH_DOCUMENT),
        ]
        | UnsetType
    ) = UNSET
    timeout: Annotated[Positive, Meta(description="Milliseconds to wait for an answer.")] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.oauth is True:
            raise ValueError("Expected the settings of `oauth`, or `false`")


class McpSwitchConfig(ConfigPart, McpConfig):
    """Switches a server on or off that another layer defines; alone it does nothing."""

    enabled: bool


McpEntry = Annotated[
    McpConfig,
    Meta(
        extra_json_schema=alternatives(
            component("McpLocalConfig"),
            component("McpRemoteConfig"),
            {
                "type": "object",
                "properties": {"enabled": {"type": "boolean"}},
                "required": ["enabled"],
                "additionalProperties": False,
            },
        )
    ),
]


# --- language servers and formatters ---------------------------------------------------------------------------------


class LspConfig:
    """One entry of ``lsp``: :class:`LspServerConfig` or :class:`LspDisabledConfig`."""

    __slots__ = ()


class LspDisabledConfig(ConfigPart, LspConfig):
    """Takes a built-in language server away."""

    disabled: Annotated[bool, Meta(description="Do not start it.", extra_json_schema={"enum": [True]})]

    def __post_init__(self) -> None:
        if not self.disabled:
            raise ValueError("Expected `command`, or `disabled: true`")


class LspServerConfig(ConfigPart, LspConfig):
    """A language server: a new one, or another command for a built-in one."""

    command: Annotated[list[str], Meta(description="The program and its arguments.")]
    extensions: Annotated[list[str], Meta(description="The files it is for; needed for new servers.")] | UnsetType = (
        UNSET
    )
    disabled: Annotated[bool, Meta(description="Do not start it.")] | UnsetType = UNSET
    env: Annotated[dict[str, str], Meta(description="More environment variables.")] | UnsetType = UNSET
    initialization: Annotated[dict[str, Any], Meta(description="Its initialization options.")] | UnsetType = UNSET


LspEntry = Annotated[
    LspConfig, Meta(extra_json_schema=alternatives(component("LspDisabledConfig"), component("LspServerConfig")))
]


class FormatterConfig(ConfigPart):
    """A formatter; ``$FILE`` in the command is the file."""

    disabled: Annotated[bool, Meta(description="Do not run it.")] | UnsetType = UNSET
    command: (
        Annotated[list[str], Meta(description="The program and its arguments; `$FILE` is the file.")] | UnsetType
    ) = UNSET
    environment: Annotated[dict[str, str], Meta(description="More environment variables.")] | UnsetType = UNSET
    extensions: Annotated[list[str], Meta(description="The files it is for.")] | UnsetType = UNSET


# --- references ------------------------------------------------------------------------------------------------------


class ConfigV2ReferenceGit(ConfigPart):
    """A repository to consult."""

    repository: str
    branch: Annotated[str, Meta(description="The branch.")] | UnsetType = UNSET
    description: Annotated[str, Meta(description="What it is good for.")] | UnsetType = UNSET
    hidden: Annotated[bool, Meta(description="Not offered.")] | UnsetType = UNSET


class ConfigV2ReferenceLocal(ConfigPart):
    """A directory to consult."""

    path: str
    description: Annotated[str, Meta(description="What it is good for.")] | UnsetType = UNSET
    hidden: Annotated[bool, Meta(description="Not offered.")] | UnsetType = UNSET


ReferenceEntry = Annotated[
    Any,
    Meta(
        extra_json_schema=alternatives(
            {"type": "string"}, component("ConfigV2ReferenceGit"), component("ConfigV2ReferenceLocal")
        )
    ),
]
References = dict[str, ReferenceEntry]


def check_references(references: References | UnsetType) -> None:
    """Each is a path or one of the two records. Raises ``msgspec.ValidationError``."""
    if references is UNSET:
        return
    for entry in references.values():
        if not isinstance(entry, str):
            is_git = isinstance(entry, dict) and "repository" in entry
            msgspec.convert(entry, ConfigV2ReferenceGit if is_git else ConfigV2ReferenceLocal)
