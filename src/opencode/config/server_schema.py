"""How the server listens, as configuration files write it."""

from typing import Annotated, Literal

from msgspec import Meta, field

from opencode.config.part import ConfigPart, Positive, Seconds
from opencode.core.wire import UNSET, UnsetType


class CorsConfig(ConfigPart):
    """Which pages may call the server, and how."""

    origins: Annotated[list[str], Meta(description="The origins of the pages.")]
    methods: Annotated[list[str], Meta(description="The methods they may use.")] | UnsetType = UNSET
    headers: (
        Annotated[list[str], Meta(description="The headers they may send besides those that clients need.")] | UnsetType
    ) = UNSET


class BearerAuthConfig(ConfigPart, tag_field="type", tag="bearer"):
    """Clients send one of these tokens."""

    tokens: Annotated[list[str], Meta(description="The tokens; better kept out of the file with `{env:NAME}`.")]


class BasicAuthConfig(ConfigPart, tag_field="type", tag="basic"):
    """Clients send this name and password."""

    username: Annotated[str, Meta(description="The name. Default: `opencode`.")] | UnsetType = UNSET
    password: Annotated[str, Meta(description="The password; better kept out of the file with `{env:NAME}`.")]


class UnattendedConfig(ConfigPart):
    """What happens to permission requests and questions while no client is connected to the event streams."""

    policy: (
        Annotated[
            Literal["wait", "deny", "fail"],
            Meta(description="`wait` without limit, `deny` and tell the model, `fail` the turn. Default: `wait`."),
        ]
        | UnsetType
    ) = UNSET
    after_seconds: (
        Annotated[
            Seconds,
            Meta(description="How long nobody has been connected before the policy applies. Default: 60."),
        ]
        | UnsetType
    ) = field(default=UNSET, name="afterSeconds")


class ServerConfig(ConfigPart):
    """How ``serve`` and ``web`` listen. Only the user's own configuration counts, never a project's."""

    enabled: Annotated[bool, Meta(description="`false`: refuse to start unless forced.")] | UnsetType = UNSET
    port: Annotated[Positive, Meta(description="The port.")] | UnsetType = UNSET
    hostname: Annotated[str, Meta(description="The address to listen on.")] | UnsetType = UNSET
    host: Annotated[str, Meta(description="Another name for `hostname`, which wins.")] | UnsetType = UNSET
    mdns: Annotated[bool, Meta(description="Announce the server on the local network.")] | UnsetType = UNSET
    mdns_domain: Annotated[str, Meta(description="The announced host name.")] | UnsetType = field(
        default=UNSET, name="mdnsDomain"
    )
    unattended: (
        Annotated[
            UnattendedConfig,
            Meta(description="What happens to requests that nobody is there to answer; a project may set this, too."),
        ]
        | UnsetType
    ) = UNSET
    cors: Annotated[list[str] | CorsConfig, Meta(description="More origins whose pages may call.")] | UnsetType = UNSET
    cors_options: Annotated[CorsConfig, Meta(description="The object form of `cors`, in answers.")] | UnsetType = field(
        default=UNSET, name="corsOptions"
    )
    share: (
        Annotated[
            bool | str,
            Meta(
                description="Let sessions be shared: whoever has the link reads the session on this server, without"
                " credentials. Text: the address of the server for readers, where it differs. Default: `false`."
            ),
        ]
        | UnsetType
    ) = UNSET
    auth: (
        Annotated[BearerAuthConfig | BasicAuthConfig, Meta(description="Credentials that clients must send.")]
        | UnsetType
    ) = UNSET
