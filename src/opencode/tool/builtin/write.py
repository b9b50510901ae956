"""``write``: create a file, or overwrite one as a whole (spec: file tools, 6)."""

from typing import Annotated

from msgspec import Meta

from opencode.core.wire import Wire
from opencode.file.diagnostics import error_report
from opencode.file.editor import FileEditor
from opencode.file.text import TextFile
from opencode.tool.description import prompt_text
from opencode.tool.diff import diff_of
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.file_time import FileTimes
from opencode.tool.tool import Tool, ToolContext, ToolResult

OTHER_FILES = 5
"""Further files whose errors are told after a write."""


class WriteParams(Wire):
    """Arguments of ``write``."""

    content: Annotated[str, Meta(description="The whole new content of the file.")]
    file_path: Annotated[str, Meta(description="Absolute path of the file to write.")]


class WriteTool(Tool[WriteParams]):
    """``write``: the whole content of one file; parent directories are made."""

    id = "write"
    params = WriteParams
    permission = "edit"

    def __init__(self, editor: FileEditor, times: FileTimes) -> None:
        self.description = prompt_text("opencode.tool.builtin", "write.md")
        self._editor = editor
        self._times = times

    async def run(self, params: WriteParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` for an existing file that the session has not read as it is now."""
        path = context.resolve(params.file_path)
        await ask_external_directory(context, path)
        async with self._editor.hold(path):
            with file_errors():
                before = await self._editor.open(path)
            if before:
                await self._times.require(context, path, before.stamp)
            given = TextFile.given(params.content)
            new = before.content.with_content_of(given) if before else given
            diff = await diff_of(path, before.content.text if before else "", new.text)
            await context.ask(
                "edit",
                patterns=context.names(path),
                always=["*"],
                metadata={"filepath": str(path), "diff": diff.patch},
            )
            with file_errors():
                await self._editor.save(path, new, expected=before.stamp if before else None)
                _, diagnostics = await self._editor.settle(path, new)
            self._times.record_now(context.session_id, path)
        return ToolResult(
            title=context.relative(path),
            output="Wrote file successfully." + error_report(diagnostics, [path], others=OTHER_FILES),
            metadata={"diagnostics": dict(diagnostics), "filepath": str(path), "exists": before is not None},
        )
