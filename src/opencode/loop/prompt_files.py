"""Reads the files a prompt names, as the ``read`` tool does, without asking: the user named them."""

from pathlib import Path

from opencode.core.wire import UNSET
from opencode.session.schema import UserMessage
from opencode.tool.arguments import check_arguments
from opencode.tool.builtin.read import ReadTool
from opencode.tool.tool import ToolContext, ToolResult


class PromptFiles:
    """The read tool of one directory, for prompts."""

    def __init__(self, read: ReadTool, directory: Path, worktree: Path) -> None:
        self._read = read
        self._directory = directory
        self._worktree = worktree

    async def read(self, message: UserMessage, arguments: dict[str, object]) -> ToolResult:
        """What the tool gives for these arguments. Raises ``ToolError``."""
        context = ToolContext(
            session_id=message.session_id,
            message_id=message.id,
            call_id="",
            agent=message.agent,
            directory=self._directory,
            worktree=self._worktree,
            model=None,
            history=[],
            ask=_granted,
            report=_granted,
            extra={"bypassCwdCheck": True},
        )
        given = {name: value for name, value in arguments.items() if value is not UNSET}
        return await self._read.run(check_arguments(self._read.id, self._read.params, given), context)

    def count_as_read(self, message: UserMessage, path: Path) -> None:
        """The session may change the file: the prompt showed it whole."""
        self._read.count_as_read(message.session_id, path)


async def _granted(*_: object, **__: object) -> None:
    """Nothing is asked and nothing shown for a file of a prompt."""
