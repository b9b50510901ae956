"""Permissions as configuration files write them. Key order matters everywhere: the last match decides."""

from typing import Annotated, Literal

from msgspec import Meta

from opencode.config.part import component
from opencode.core.wire import UnsetType

WITH_PATTERNS = ("read", "edit", "glob", "grep", "list", "bash", "task", "external_directory", "lsp", "skill")
WITHOUT_PATTERNS = ("todowrite", "question", "webfetch", "websearch", "doom_loop")

PermissionActionConfig = Literal["ask", "allow", "deny"]
PermissionObjectConfig = dict[str, PermissionActionConfig]
"""Actions by pattern."""
PermissionRuleConfig = PermissionActionConfig | PermissionObjectConfig
_KNOWN = {
    **{name: component("PermissionRuleConfig") for name in WITH_PATTERNS},
    **{name: component("PermissionActionConfig") for name in WITHOUT_PATTERNS},
}
PermissionConfig = Annotated[
    PermissionActionConfig | Annotated[dict[str, PermissionRuleConfig], Meta(extra_json_schema={"properties": _KNOWN})],
    Meta(description="What agents may do: `allow`, `ask` or `deny`, for everything or by permission and pattern."),
]
"""One action for everything, or rules by permission: the name of a tool, or a wildcard."""


def check_permission(permission: PermissionConfig | UnsetType) -> None:
    """Refuse patterns under the permissions that have none. Raises ``ValueError``."""
    if isinstance(permission, dict):
        for name in WITHOUT_PATTERNS:
            if isinstance(permission.get(name), dict):
                raise ValueError(f"Expected an action for the permission `{name}`, got patterns")
