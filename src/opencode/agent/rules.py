"""The rules that built-in agents start from (spec: agents and permissions, section 1.1)."""

import os.path
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode.core.paths import Paths
from opencode.permission.schema import PermissionAction, PermissionRule, PermissionRuleset


def rule(permission: str, action: PermissionAction, pattern: str = "*") -> PermissionRule:
    """One rule, for everything unless a pattern is given."""
    return PermissionRule(permission=permission, pattern=pattern, action=action)


def allow(*permissions: str) -> PermissionRuleset:
    """Allow each of them without restriction, in this order."""
    return [rule(permission, "allow") for permission in permissions]


@dataclass(frozen=True, slots=True)
class RulePlaces:
    """The directories that rules speak of, and the rules about them. ``root``: what paths of edits are relative to."""

    paths: Paths
    root: Path
    scratch: Path
    skill_directories: Sequence[Path] = ()

    @property
    def tool_output(self) -> str:
        """The pattern of saved tool outputs."""
        return _inside(self.paths.tool_output)

    def external_directory(self) -> PermissionRuleset:
        """Ask about places outside the project, except those that the server itself tells the model of."""
        own = [self.tool_output, _inside(self.scratch), *map(_inside, self.skill_directories)]
        return [rule("external_directory", "ask"), *(rule("external_directory", "allow", place) for place in own)]

    def defaults(self) -> PermissionRuleset:
        """What holds for every agent before its own rules."""
        return [
            rule("*", "allow"),
            rule("doom_loop", "ask"),
            *self.external_directory(),
            rule("question", "deny"),
            rule("plan_enter", "deny"),
            rule("plan_exit", "deny"),
            rule("read", "allow"),
            rule("read", "ask", "*.env"),
            rule("read", "ask", "*.env.*"),
            rule("read", "allow", "*.env.example"),
        ]

    def plan(self) -> PermissionRuleset:
        """Change nothing but plans, which lie in the project or in the data directory."""
        plans = self.paths.data / "plans"
        return [
            *allow("question", "plan_exit"),
            rule("task", "deny", "general"),
            rule("external_directory", "allow", _inside(plans)),
            rule("edit", "deny"),
            rule("edit", "allow", ".opencode/plans/*.md"),
            rule("edit", "allow", f"{Path(os.path.relpath(plans, self.root)).as_posix()}/*.md"),
        ]

    def explore(self) -> PermissionRuleset:
        """Look at everything, change nothing."""
        return [
            rule("*", "deny"),
            *allow("grep", "glob", "list", "bash", "webfetch", "websearch", "read"),
            *self.external_directory(),
        ]

    def with_tool_output(self, rules: Iterable[PermissionRule]) -> PermissionRuleset:
        """The rules, with saved outputs readable at the end whatever they say of other places."""
        ruleset, last = list(rules), rule("external_directory", "allow", self.tool_output)
        refused = rule("external_directory", "deny", self.tool_output)
        return ruleset if refused in ruleset else [*ruleset, last]


def _inside(directory: Path) -> str:
    return f"{directory.as_posix()}/*"
