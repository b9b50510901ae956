from collections.abc import Sequence
from typing import Any

import pytest

from opencode.core.wire import Wire
from opencode.permission.schema import PermissionRule
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult
from opencode.tool.truncate import OutputTruncator
from opencode.tool.wrapper import WrappedTool

DENY_TASK = [PermissionRule(permission="task", pattern="*", action="deny")]


class EchoParams(Wire):
    """What to say, and how often."""

    text: str
    times: int = 1


class EchoTool(Tool[EchoParams]):
    """Says what it is told."""

    id = "echo"
    params = EchoParams
    metadata: dict[str, Any] = {"said": True}

    def __init__(self) -> None:
        self.description = "Says it."

    async def run(self, params: EchoParams, context: ToolContext) -> ToolResult:
        return ToolResult(title="Echo", output=params.text * params.times, metadata=self.metadata)


class OwnEchoTool(EchoTool):
    """Cuts its output itself, and describes itself by the rules."""

    metadata = {"truncated": False}

    def describe(self, rules: Sequence[PermissionRule]) -> str:
        return f"Says it under {len(rules)} rules."


async def test_arguments_are_checked_and_the_result_says_whether_it_was_cut(
    context: ToolContext, truncator: OutputTruncator
) -> None:
    tool = WrappedTool(EchoTool(), truncator)
    result = await tool.call({"text": "hi", "times": "2"}, context)
    assert result == ToolResult(title="Echo", output="hihi", metadata={"said": True, "truncated": False})
    with pytest.raises(ToolError, match="The echo tool was called with invalid arguments"):
        await tool.call({"times": 2}, context)


async def test_a_long_output_is_cut_and_saved(context: ToolContext, truncator: OutputTruncator) -> None:
    result = await WrappedTool(EchoTool(), truncator).call({"text": "row\n", "times": 3000}, context)
    assert result.metadata["truncated"] is True
    assert result.metadata["outputPath"] in result.output
    assert "task tool" in result.output
    under = await WrappedTool(EchoTool(), truncator).under(DENY_TASK).call({"text": "row\n", "times": 3000}, context)
    assert "task tool" not in under.output


async def test_a_tool_that_cuts_its_own_output_is_left_alone(context: ToolContext, truncator: OutputTruncator) -> None:
    result = await WrappedTool(OwnEchoTool(), truncator).call({"text": "row\n", "times": 3000}, context)
    assert result.output == "row\n" * 3000


def test_the_model_sees_a_definition(truncator: OutputTruncator) -> None:
    definition = WrappedTool(EchoTool(), truncator).definition
    assert (definition.name, definition.description) == ("echo", "Says it.")
    assert definition.parameters["required"] == ["text"]
    assert WrappedTool(OwnEchoTool(), truncator).under(DENY_TASK).definition.description == "Says it under 1 rules."
