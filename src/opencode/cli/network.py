"""Where the server listens and whom it lets in: options over configuration over defaults (spec: CLI, section 2)."""

from dataclasses import dataclass
from typing import Final

from opencode.cli.errors import CliError
from opencode.cli.options import NetworkOptions
from opencode.config.environment import Environment
from opencode.config.server_schema import BasicAuthConfig, BearerAuthConfig, CorsConfig, ServerConfig
from opencode.core.wire import UNSET, UnsetType, set_or

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"
MDNS_DOMAIN: Final = "opencode.local"
DEFAULT_USERNAME: Final = "opencode"
ALLOW_VARIABLE: Final = "OPENCODE_SERVER_ALLOW_UNAUTHENTICATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What clients must send; open when there is neither a password nor a token."""

    username: str = DEFAULT_USERNAME
    password: str | None = None
    tokens: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return not (self.password or self.tokens)

    def __repr__(self) -> str:
        return f"Credentials(is_open={self.is_open})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Decided. ``port`` 0: 4096 if it is free, else any. ``share``: may sessions be shared, or at which address."""

    hostname: str = LOOPBACK
    port: int = 0
    mdns: bool = False
    mdns_domain: str = MDNS_DOMAIN
    cors: tuple[str, ...] = ()
    cors_methods: tuple[str, ...] | None = None
    cors_headers: tuple[str, ...] | None = None
    allow_unauthenticated: bool = False
    share: bool | str = False
    credentials: Credentials = Credentials()


def network_settings(options: NetworkOptions, config: ServerConfig, environment: Environment) -> NetworkSettings:
    """What the command line says wins; origins add up. Raises ``CliError`` when the user switched serving off."""
    if config.enabled is False and not options.force:
        raise CliError('The configuration says "server": {"enabled": false}; --force starts the server nevertheless')
    mdns = options.mdns if options.mdns is not None else config.mdns is True
    cors = config.cors if isinstance(config.cors, CorsConfig) else CorsConfig(origins=set_or(config.cors, []))
    configured_host = set_or(config.hostname, set_or(config.host, None))
    return NetworkSettings(
        hostname=options.hostname or configured_host or (EVERYWHERE if mdns else LOOPBACK),
        port=options.port if options.port is not None else set_or(config.port, options.default_port),
        mdns=mdns,
        mdns_domain=options.mdns_domain or set_or(config.mdns_domain, None) or MDNS_DOMAIN,
        cors=(*cors.origins, *options.cors),
        cors_methods=_names(cors.methods),
        cors_headers=_names(cors.headers),
        allow_unauthenticated=options.allow_unauthenticated or environment.flag(ALLOW_VARIABLE),
        share=set_or(config.share, False),
        credentials=_credentials(config, environment),
    )


def _names(configured: list[str] | UnsetType) -> tuple[str, ...] | None:
    return None if configured is UNSET else tuple(configured)


def _credentials(config: ServerConfig, environment: Environment) -> Credentials:
    """The password of the environment goes before the configured one; tokens count besides."""
    auth = config.auth
    configured = auth if isinstance(auth, BasicAuthConfig) else None
    username = environment.get("OPENCODE_SERVER_USERNAME") or (
        set_or(configured.username, None) if configured else None
    )
    return Credentials(
        username=username or DEFAULT_USERNAME,
        password=environment.get("OPENCODE_SERVER_PASSWORD") or (configured.password if configured else None),
        tokens=tuple(auth.tokens) if auth is not UNSET and isinstance(auth, BearerAuthConfig) else (),
    )
