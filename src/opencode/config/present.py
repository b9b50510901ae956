"""What of a configuration is shown to clients: credentials of the server itself are not."""

from typing import Any

from opencode.config.merge import Json
from opencode.config.schema import Config
from opencode.config.server_schema import BasicAuthConfig, BearerAuthConfig, CorsConfig
from opencode.core.wire import UNSET, UnsetType, replace

MASK = "***"


def presented(config: Config) -> Config:
    """The configuration as ``GET /config`` answers it (spec: seed variants, 4.2).

    ``server.auth`` is masked; the object form of ``server.cors``, which official clients do not know, moves to
    ``server.corsOptions`` and leaves its origins.
    """
    if config.server is UNSET:
        return config
    server = replace(config.server, auth=_masked(config.server.auth))
    if isinstance(server.cors, CorsConfig):
        server = replace(server, cors=server.cors.origins, cors_options=server.cors)
    return replace(config, server=server)


def _masked(auth: BearerAuthConfig | BasicAuthConfig | UnsetType) -> BearerAuthConfig | BasicAuthConfig | UnsetType:
    match auth:
        case BearerAuthConfig():
            return replace(auth, tokens=[MASK] * len(auth.tokens))
        case BasicAuthConfig():
            return replace(auth, password=MASK)
        case _:
            return auth


def presented_layer(layer: Json) -> Json:
    """The same for a layer that is not yet a whole configuration."""
    server: Any = layer.get("server")
    if server is None:
        return layer
    return {**layer, "server": _server_layer(server)}


def _server_layer(server: Json) -> Json:
    shown = dict(server)
    auth = dict(shown.get("auth", {}))
    if "tokens" in auth:
        shown["auth"] = {**auth, "tokens": [MASK] * len(auth["tokens"])}
    if "password" in auth:
        shown["auth"] = {**auth, "password": MASK}
    if isinstance(shown.get("cors"), dict):
        shown["corsOptions"], shown["cors"] = shown["cors"], shown["cors"]["origins"]
    return shown


def without_presented(patch: Json) -> Json:
    """A change without what :func:`presented` made up: clients send back what they were shown."""
    server = patch.get("server")
    if not isinstance(server, dict):
        return patch
    kept = {key: value for key, value in server.items() if key != "corsOptions"}
    if "corsOptions" in server:
        kept.pop("cors", None)
    auth = server.get("auth")
    if isinstance(auth, dict) and (auth.get("password") == MASK or MASK in auth.get("tokens", [])):
        kept.pop("auth")
    return {**patch, "server": kept}
