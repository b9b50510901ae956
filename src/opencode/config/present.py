"""What of a configuration is shown to clients: no credentials, neither the server's nor those of providers."""

from typing import Any

import msgspec

from opencode.config.merge import Json
from opencode.config.schema import Config
from opencode.core.masking import masked, without_masked

MASK = "***"
_WITH_SECRETS = ("enterprise", "formatter", "lsp", "mcp", "plugin", "provider")
_WITH_OPTIONS = ("agent", "mode")


def presented(config: Config) -> Json:
    """The configuration as ``GET /config`` answers it (spec: seed variants, 4.2; security)."""
    return presented_layer(msgspec.to_builtins(config))


def presented_layer(layer: Json) -> Json:
    """A layer of a configuration, or all of it, as it may be shown.

    ``server.auth`` and what may be a secret of providers, MCP servers and the like is masked; the object form of
    ``server.cors``, which official clients do not know, moves to ``server.corsOptions`` and leaves its origins.
    """
    shown = dict(layer)
    for section in _WITH_SECRETS:
        if section in shown:
            shown[section] = masked(shown[section])
    for section in _WITH_OPTIONS:
        if section in shown:
            shown[section] = {name: _agent_layer(agent) for name, agent in shown[section].items()}
    if "server" in shown:
        shown["server"] = _server_layer(shown["server"])
    return shown


def _agent_layer(agent: Json) -> Json:
    return {**agent, "options": masked(agent["options"])} if agent.get("options") else agent


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
    sections = (*_WITH_SECRETS, *_WITH_OPTIONS)
    patch = {key: without_masked(value) if key in sections else value for key, value in patch.items()}
    server: Any = patch.get("server")
    if not isinstance(server, dict):
        return patch
    kept = {key: value for key, value in server.items() if key != "corsOptions"}
    if "corsOptions" in server:
        kept.pop("cors", None)
    auth = server.get("auth")
    if isinstance(auth, dict) and (auth.get("password") == MASK or MASK in auth.get("tokens", [])):
        kept.pop("auth")
    return {**patch, "server": kept}
