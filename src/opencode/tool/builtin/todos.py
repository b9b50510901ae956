"""What the task-list tools share: where lists are kept, and how they are shown."""

from typing import Any, Protocol

import msgspec

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, replace
from opencode.session.schema import Todo
from opencode.tool.tool import ToolResult


class TodoLists(Protocol):
    """The task list of each session."""

    async def todos(self, session_id: SessionID) -> list[Todo]:
        """The list."""
        ...

    async def set_todos(self, session_id: SessionID, todos: list[Todo]) -> object:
        """Replace the list. Publishes ``todo.updated``."""
        ...


def todo_result(todos: list[Todo]) -> ToolResult:
    """The list for the model and for clients; the title counts what is not completed."""
    shown: list[dict[str, Any]] = [msgspec.to_builtins(replace(todo, id=UNSET)) for todo in todos]
    open_count = sum(todo.status != "completed" for todo in todos)
    output = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
    return ToolResult(title=f"{open_count} todos", output=output, metadata={"todos": shown})
