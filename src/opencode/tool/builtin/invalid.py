"""``invalid``: what a call becomes that names no tool or cannot be read (spec: tools core, section 4)."""

from opencode.core.wire import Wire
from opencode.tool.tool import Tool, ToolContext, ToolResult


class InvalidParams(Wire):
    """The tool that was meant, and what is wrong."""

    tool: str
    error: str


class InvalidTool(Tool[InvalidParams]):
    """``invalid``: tells the model what was wrong with its call. Never offered."""

    id = "invalid"
    params = InvalidParams

    def __init__(self) -> None:
        self.description = "Not to be called: stands for a call that could not be understood."

    async def run(self, params: InvalidParams, context: ToolContext) -> ToolResult:
        return ToolResult(
            title="Invalid Tool", output=f"The arguments provided to the tool are invalid: {params.error}"
        )
