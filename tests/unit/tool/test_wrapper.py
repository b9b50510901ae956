from collections.abc import Sequence
from typing import Any

import pytest

from opencode.core.wire import Wire
from opencode.permission.schema import PermissionRule
from opencode.tool.images import ImageLimits
from opencode.tool.tool import Attachment, Tool, ToolContext, ToolError, ToolResult
from opencode.tool.truncate import OutputTruncator
from opencode.tool.wrapper import WrappedTool
from tests.support.pictures import data_url, picture, png_of_size, size_of

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


class ShowParams(Wire):
    """Nothing."""


class ShowTool(Tool[ShowParams]):
    """Shows two pictures, the first of them with too many pixels to be opened."""

    id = "show"
    params = ShowParams

    def __init__(self) -> None:
        self.description = "Shows them."

    async def run(self, params: ShowParams, context: ToolContext) -> ToolResult:
        huge = Attachment(mime="image/png", url=data_url(png_of_size(20_000, 20_000)), filename="huge.png")
        wide = Attachment(mime="image/png", url=data_url(picture(64, 32)), filename="wide.png")
        return ToolResult(title="Show", output="Two.", attachments=[huge, wide])


async def test_images_are_made_to_fit_and_those_that_cannot_are_left_out_with_a_note(
    context: ToolContext, truncator: OutputTruncator
) -> None:
    result = await WrappedTool(ShowTool(), truncator, images=ImageLimits(max_width=16)).under([]).call({}, context)
    assert result.output == "Two.\n\n[The image huge.png was left out: it has too many pixels]"
    assert [(file.filename, size_of(file.url)) for file in result.attachments] == [("wide.png", (16, 8))]
    as_it_is = await WrappedTool(ShowTool(), truncator).call({}, context)
    assert len(as_it_is.attachments) == 2


def test_the_model_sees_a_definition(truncator: OutputTruncator) -> None:
    definition = WrappedTool(EchoTool(), truncator).definition
    assert (definition.name, definition.description) == ("echo", "Says it.")
    assert definition.parameters["required"] == ["text"]
    assert WrappedTool(OwnEchoTool(), truncator).under(DENY_TASK).definition.description == "Says it under 1 rules."
