"""Permission rules: made from configuration, and asked for a decision (spec: agents and permissions, section 3)."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from opencode.config.permission_schema import PermissionConfig
from opencode.core.wire import UNSET, UnsetType
from opencode.permission.schema import PermissionRule, PermissionRuleset
from opencode.permission.wildcard import matches

__all__ = ["evaluate", "is_disabled", "matches", "permission_of", "relevant_rules", "rules_from_config"]

_PERMISSION_OF = {
    "write": "edit",
    "apply_patch": "edit",
    "patch": "edit",
    "multiedit": "edit",
    "list_mcp_resources": "read",
    "list_mcp_resource_templates": "read",
    "read_mcp_resource": "read",
}


def permission_of(tool_id: str) -> str:
    """The permission that decides about a tool: all tools that change files are ``edit``."""
    return _PERMISSION_OF.get(tool_id, tool_id)


def evaluate(permission: str, pattern: str, *rulesets: Sequence[PermissionRule]) -> PermissionRule:
    """The last rule that matches both, over all rulesets in order; without one, a rule that says ``ask``."""
    for ruleset in reversed(rulesets):
        for rule in reversed(ruleset):
            if matches(permission, rule.permission) and matches(pattern, rule.pattern):
                return rule
    return PermissionRule(permission=permission, pattern="*", action="ask")


def relevant_rules(permission: str, *rulesets: Sequence[PermissionRule]) -> list[PermissionRule]:
    """The rules about this permission, whatever their pattern, in order."""
    return [rule for rule in chain(*rulesets) if matches(permission, rule.permission)]


def is_disabled(permission: str, ruleset: Sequence[PermissionRule]) -> bool:
    """Whether a tool of this permission is not even offered: the last rule about it denies every pattern."""
    last = next((rule for rule in reversed(ruleset) if matches(permission, rule.permission)), None)
    return last is not None and last.pattern == "*" and last.action == "deny"


def rules_from_config(permission: PermissionConfig | UnsetType | None, home: Path | str) -> PermissionRuleset:
    """The rules of a ``permission`` setting in the order it is written; ``~`` and ``$HOME`` are expanded."""
    if permission is UNSET or permission is None:
        return []
    if isinstance(permission, str):
        permission = {"*": permission}
    rules: PermissionRuleset = []
    for name, setting in permission.items():
        patterns = {"*": setting} if isinstance(setting, str) else setting
        rules += [
            PermissionRule(permission=name, pattern=_expanded(pattern, str(home)), action=action)
            for pattern, action in patterns.items()
        ]
    return rules


def _expanded(pattern: str, home: str) -> str:
    for short in ("~", "$HOME"):
        if pattern == short or pattern.startswith(f"{short}/"):
            return home + pattern[len(short) :]
    return pattern
