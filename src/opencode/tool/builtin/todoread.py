"""``todoread``: the task list of the session (spec: tools core, section 7). Known, and not offered."""

from opencode.core.wire import Wire
from opencode.tool.builtin.todos import TodoLists, todo_result
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolResult


class TodoReadParams(Wire):
    """``todoread`` takes no arguments."""


class TodoReadTool(Tool[TodoReadParams]):
    """``todoread``: the list as it was last written."""

    id = "todoread"
    params = TodoReadParams

    def __init__(self, lists: TodoLists) -> None:
        self.description = prompt_text("opencode.tool.builtin", "todoread.md")
        self._lists = lists

    async def run(self, params: TodoReadParams, context: ToolContext) -> ToolResult:
        await context.ask("todoread", patterns=["*"], always=["*"], metadata={})
        return todo_result(await self._lists.todos(context.session_id))
