"""``edit``: replace text in a file (spec: file tools, 7)."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.file.diagnostics import error_report
from opencode.file.disk import FileStamp, near
from opencode.file.editor import FileEditor
from opencode.file.text import TextFile, with_newlines
from opencode.tool.description import prompt_text
from opencode.tool.diff import FileDiff, diff_of, whole_texts
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.file_time import FileTimes
from opencode.tool.replace import replace_text
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult


class EditParams(Wire):
    """Arguments of ``edit``."""

    file_path: Annotated[str, Meta(description="Absolute path of the file to change.")]
    old_string: Annotated[str, Meta(description="The text to replace; empty to create a new file.")]
    new_string: Annotated[str, Meta(description="The text to put in its place; must differ from oldString.")]
    replace_all: (
        Annotated[bool, Meta(description="Replace every occurrence of oldString. Default false.")] | UnsetType
    ) = UNSET


class EditTool(Tool[EditParams]):
    """``edit``: one piece of text replaced, found exactly or by the chain of ``replace.py``."""

    id = "edit"
    params = EditParams

    def __init__(self, editor: FileEditor, times: FileTimes) -> None:
        self.description = prompt_text("opencode.tool.builtin", "edit.md")
        self._editor = editor
        self._times = times

    async def run(self, params: EditParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` when the text is not found, not unique, or the file is unread."""
        if params.old_string == params.new_string:
            raise ToolError("No changes to apply: oldString and newString are identical.")
        path = context.resolve(params.file_path)
        await ask_external_directory(context, path)
        async with self._editor.hold(path):
            before, after, expected = await self._change(path, params, context)
            diff = await diff_of(path, before.text, after.text)
            await context.ask(
                "edit",
                patterns=context.names(path),
                always=["*"],
                metadata={"filepath": str(path), "diff": diff.patch},
            )
            with file_errors():
                await self._editor.save(path, after, expected=expected)
                final, diagnostics = await self._editor.settle(path, after)
            self._times.record_now(context.session_id, path)
        if final != after:
            diff = await diff_of(path, before.text, final.text)
        changes = {"diff": diff.patch, "filediff": _filediff(path, diff, before, final)}
        await context.report(metadata={**changes, "diagnostics": {}})
        return ToolResult(
            title=context.relative(path),
            output="Edit applied successfully." + error_report(diagnostics, [path]),
            metadata={"diagnostics": dict(diagnostics), **changes},
        )

    async def _change(
        self, path: Path, params: EditParams, context: ToolContext
    ) -> tuple[TextFile, TextFile, FileStamp | None]:
        """The file before and after, and the stamp it must still have when it is written."""
        with file_errors():
            found = await self._editor.open(path)
        if not params.old_string:
            if found:
                raise ToolError(
                    f"File {path} already exists, and oldString is empty. Give the exact text to replace, "
                    "or use the write tool to overwrite the whole file."
                )
            return TextFile(""), TextFile.given(params.new_string), None
        if found is None:
            raise ToolError(f"File {path} not found")
        await self._times.require(context, path, found.stamp)
        newline = found.content.newline
        old = with_newlines(params.old_string, newline)
        new = with_newlines(params.new_string, newline)
        text = found.content.text
        replaced = partial(replace_text, text, old, new, replace_all=params.replace_all is True)
        changed = await near(len(text), replaced)
        return found.content, found.content.with_text(changed), found.stamp


def _filediff(path: Path, diff: FileDiff, before: TextFile, after: TextFile) -> dict[str, Any]:
    return {
        "file": str(path),
        "patch": diff.patch,
        "additions": diff.additions,
        "deletions": diff.deletions,
        **whole_texts(before.text, after.text),
    }
