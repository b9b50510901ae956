"""``todowrite``: replace the task list of the session (spec: tools core, section 7)."""

from typing import Annotated

from msgspec import Meta

from opencode.core.wire import Wire
from opencode.session.schema import Todo
from opencode.tool.builtin.todos import TodoLists, todo_result
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolResult


class TodoItem(Wire):
    """One task."""

    content: Annotated[str, Meta(description="What is to be done, in a few words.")]
    status: Annotated[str, Meta(description="pending, in_progress, completed or cancelled.")]
    priority: Annotated[str, Meta(description="high, medium or low.")]


class TodoWriteParams(Wire):
    """Arguments of ``todowrite``."""

    todos: Annotated[list[TodoItem], Meta(description="The whole new list, in order.")]


class TodoWriteTool(Tool[TodoWriteParams]):
    """``todowrite``: the list as it now stands."""

    id = "todowrite"
    params = TodoWriteParams

    def __init__(self, lists: TodoLists) -> None:
        self.description = prompt_text("opencode.tool.builtin", "todowrite.md")
        self._lists = lists

    async def run(self, params: TodoWriteParams, context: ToolContext) -> ToolResult:
        await context.ask("todowrite", patterns=["*"], always=["*"], metadata={})
        todos = [Todo(content=item.content, status=item.status, priority=item.priority) for item in params.todos]
        await self._lists.set_todos(context.session_id, todos)
        return todo_result(todos)
