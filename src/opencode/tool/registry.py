"""All tools of an instance, and which of them a model is offered (spec: tools core, section 2)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from opencode.permission.ruleset import is_disabled
from opencode.permission.schema import PermissionRule
from opencode.provider.schema import Model
from opencode.tool.images import ImageLimits
from opencode.tool.tool import Tool
from opencode.tool.truncate import OutputTruncator
from opencode.tool.wrapper import WrappedTool

ORDER = (
    "invalid", "question", "bash", "read", "glob", "grep", "edit", "write", "task", "webfetch", "todowrite",
    "websearch", "skill", "apply_patch", "lsp", "plan_exit",
)  # fmt: skip
"""How the ids are listed; custom and MCP tools follow in the order they were given."""

NEVER_OFFERED = frozenset({"invalid", "todoread", "list"})
"""Tools that can run and are not shown to a model."""
UNLISTED = frozenset({"todoread", "list"})

Rulesets = Sequence[Sequence[PermissionRule]]


class ToolRegistry:
    """An explicit list of tools. A later tool replaces an earlier one of the same id."""

    def __init__(
        self, tools: Iterable[Tool[Any]], truncator: OutputTruncator, images: ImageLimits | None = None
    ) -> None:
        given = {tool.id: WrappedTool(tool, truncator, images=images) for tool in tools}
        place = {id: index for index, id in enumerate(ORDER)}
        self._tools = dict(sorted(given.items(), key=lambda item: place.get(item[0], len(place))))

    def get(self, id: str) -> WrappedTool:
        """One tool, for calls that no model makes."""
        return self._tools[id]

    def limit_seconds(self, id: str, given: Mapping[str, Any]) -> float | None:
        """How long a call may take; None: as long as it needs."""
        tool = self._tools.get(id)
        return None if tool is None else tool.limit_seconds(given)

    def ids(self) -> list[str]:
        """The ids in their fixed order. Source: operation ``tool.ids``."""
        return [id for id in self._tools if id not in UNLISTED]

    def listed(self, model: Model) -> list[WrappedTool]:
        """The tools that fit the model, in the order of the ids. Source: operation ``tool.list``."""
        return [tool for tool in self._tools.values() if tool.id not in UNLISTED and _fits(tool.id, model)]

    def for_model(
        self, model: Model, rulesets: Rulesets, switches: Mapping[str, bool] | None = None
    ) -> list[WrappedTool]:
        """The tools a model is offered in one step, by name.

        Left out: what does not fit the model, what the rules deny altogether, and what the prompt switched off.
        """
        rules = list(chain(*rulesets))
        offered = [
            tool.under(rules)
            for tool in self.listed(model)
            if tool.id not in NEVER_OFFERED
            and not is_disabled(tool.permission, rules)
            and (switches is None or switches.get(tool.id) is not False)
        ]
        return sorted(offered, key=lambda tool: tool.id)

    def executable(self, offered: Iterable[WrappedTool]) -> dict[str, WrappedTool]:
        """What a call of the model may reach: the tools it is offered, and ``invalid``."""
        tools = {tool.id: tool for tool in offered}
        if "invalid" in self._tools:
            tools["invalid"] = self._tools["invalid"]
        return tools


def _fits(tool_id: str, model: Model) -> bool:
    """Patches for the models trained on them, edits and whole files for the others."""
    match tool_id:
        case "apply_patch":
            return _patches(model)
        case "edit" | "write":
            return not _patches(model)
        case _:
            return True


def _patches(model: Model) -> bool:
    name = model.api.id
    return "gpt-" in name and "oss" not in name and "gpt-4" not in name
