"""The last steps from merged layers to a configuration (spec: configuration, section 5)."""

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from opencode.config.environment import Environment
from opencode.config.errors import ConfigInvalidError
from opencode.config.jsonc import read_jsonc
from opencode.config.keybinds import KEYBINDS
from opencode.config.merge import Json, merge_deep
from opencode.config.parse import find_issues, permissions_of_tools

PERMISSION_VARIABLE = "OPENCODE_PERMISSION"


def finish(merged: Json, environment: Environment) -> Json:
    """The merged layers with defaults, legacy settings in their new places, and what the environment says.

    Raises ``ConfigJsonError`` and ``ConfigInvalidError`` for ``OPENCODE_PERMISSION``: it may hold refusals, so
    that leaving a broken one out would allow what was meant to be refused.
    """
    data = {**merged}
    data["mode"] = merged.get("mode", {})
    modes = {name: {**mode, "mode": "primary"} for name, mode in data["mode"].items()}
    data["agent"] = merge_deep(merged.get("agent", {}), modes)
    data["command"] = merged.get("command", {})
    data["plugin"] = unique_plugins(merged.get("plugin", []))
    data.setdefault("username", environment.get("USER") or "unknown")
    _permissions(data, environment)
    _legacy(data)
    _compaction(data, environment)
    return data


def _permissions(data: Json, environment: Environment) -> None:
    explicit = merge_deep(data.get("permission", {}), _environment_permission(environment))
    permission = merge_deep(permissions_of_tools(data.get("tools", {})), explicit)
    if permission or "permission" in data:
        data["permission"] = permission


def _environment_permission(environment: Environment) -> Json:
    text = environment.get(PERMISSION_VARIABLE)
    if text is None:
        return {}
    permission = read_jsonc(text, PERMISSION_VARIABLE)
    if issues := find_issues(permission, "PermissionConfig"):
        raise ConfigInvalidError(PERMISSION_VARIABLE, issues)
    return {"*": permission} if isinstance(permission, str) else permission


def _legacy(data: Json) -> None:
    if data.get("autoshare") is True:
        data.setdefault("share", "auto")
    if "keybinds" in data:
        data["keybinds"] = {**KEYBINDS, **data["keybinds"]}


def _compaction(data: Json, environment: Environment) -> None:
    for variable, key in (("OPENCODE_DISABLE_AUTOCOMPACT", "auto"), ("OPENCODE_DISABLE_PRUNE", "prune")):
        if environment.flag(variable):
            data["compaction"] = {**data.get("compaction", {}), key: False}


def unique_plugins(plugins: list[Any]) -> list[Any]:
    """One plugin of each name, the last one; the order stays."""
    last = {plugin_name(plugin): index for index, plugin in enumerate(plugins)}
    return [plugins[index] for index in sorted(last.values())]


def plugin_name(plugin: Any) -> str:
    """The name that counts as the same plugin: a file's stem, or a package without its version."""
    spec = plugin if isinstance(plugin, str) else plugin[0]
    if spec.startswith("file://"):
        return PurePosixPath(urlsplit(spec).path).stem
    found = re.fullmatch(r"(.+)@[^@]*", spec)
    return found.group(1) if found else str(spec)
