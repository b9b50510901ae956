"""From a JSON object to a checked one, and to the typed tree."""

from typing import Any

import msgspec

from opencode.config.agent_schema import AGENT_KEYS, AgentConfig, CommandConfig
from opencode.config.document import config_components
from opencode.config.errors import Issue
from opencode.config.explain import Explainer
from opencode.config.merge import Json, merge_deep
from opencode.config.schema import Config
from opencode.config.service_schema import (
    LspConfig,
    LspDisabledConfig,
    LspServerConfig,
    McpConfig,
    McpLocalConfig,
    McpRemoteConfig,
    McpSwitchConfig,
)

EDIT_TOOLS = frozenset({"write", "edit", "patch", "multiedit"})
"""Tools of the legacy ``tools`` map that one permission, ``edit``, rules."""


def parse_config(data: Any) -> Config:
    """The typed tree of a JSON object. Raises ``msgspec.ValidationError``; :func:`find_issues` says more."""
    return msgspec.convert(data, Config, dec_hook=_decode_entry)


def _decode_entry(kind: type, entry: Any) -> Any:
    """Entries whose kind shows in their keys, for which the decoder has no union."""
    keys = entry if isinstance(entry, dict) else {}
    if kind is McpConfig:
        return msgspec.convert(entry, McpLocalConfig | McpRemoteConfig if "type" in keys else McpSwitchConfig)
    if kind is LspConfig:
        return msgspec.convert(entry, LspServerConfig if "command" in keys else LspDisabledConfig)
    raise NotImplementedError(f"No decoder for {kind}")


_KINDS: dict[str, Any] = {"Config": Config, "AgentConfig": AgentConfig, "CommandConfig": CommandConfig}


def find_issues(data: Any, component: str = "Config", *, absent: str = "undefined") -> list[Issue]:
    """All faults of a value that should be a configuration or the named part of one; empty when it is one.

    ``absent``: the word for a missing key in messages.
    """
    kind = _KINDS.get(component)
    fault = ""
    if kind is not None:
        try:
            msgspec.convert(data, kind, dec_hook=_decode_entry)
        except msgspec.ValidationError as error:
            fault = str(error)
        else:
            return []
    # The schemas name every fault and its place, but take time to make: they are for this case only.
    issues = Explainer(config_components(), absent).issues(data, component)
    return issues or ([Issue(path=[], message=fault)] if fault else [])


def without_other_names(data: Any) -> Any:
    """What a text says, with ``permission.unattended``, another name of ``server.unattended``, in its place.

    Written as a permission it would be a rule for a tool of that name, and official programs refuse its policies.
    """
    permission = data.get("permission") if isinstance(data, dict) else None
    if not isinstance(permission, dict) or "unattended" not in permission:
        return data
    wanted, server = permission["unattended"], data.get("server", {})
    if not isinstance(server, dict):
        return data
    policy = {"policy": wanted} if isinstance(wanted, str) else wanted
    rules = {name: rule for name, rule in permission.items() if name != "unattended"}
    return {**data, "permission": rules, "server": {"unattended": policy, **server}}


def normalise(layer: Json) -> Json:
    """A checked layer in the form that merges: permissions as maps, agents with options and permission."""
    normal = dict(layer)
    if isinstance(layer.get("permission"), str):
        normal["permission"] = {"*": layer["permission"]}
    for key in ("agent", "mode"):
        if key in layer:
            normal[key] = {name: normalise_agent(agent) for name, agent in layer[key].items()}
    return normal


def normalise_agent(agent: Json) -> Json:
    """Unknown keys moved to ``options``, ``tools`` turned into permissions, ``maxSteps`` into ``steps``."""
    normal = {key: value for key, value in agent.items() if key in AGENT_KEYS}
    unknown = {key: value for key, value in agent.items() if key not in AGENT_KEYS}
    explicit = agent.get("permission", {})
    explicit = {"*": explicit} if isinstance(explicit, str) else explicit
    normal["options"] = {**agent.get("options", {}), **unknown}
    normal["permission"] = merge_deep(permissions_of_tools(agent.get("tools", {})), explicit)
    if "maxSteps" in agent:
        normal.setdefault("steps", agent["maxSteps"])
    return normal


def permissions_of_tools(tools: dict[str, bool]) -> Json:
    """The permissions that a legacy ``tools`` map means."""
    return {"edit" if tool in EDIT_TOOLS else tool: "allow" if enabled else "deny" for tool, enabled in tools.items()}
