"""``read``: a file or directory, as text or as an attachment (spec: file tools, 2)."""

import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from msgspec import Meta

from opencode.core.ids import SessionID
from opencode.core.text_file import read_text
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.file.disk import FileStamp, near, status_of
from opencode.file.page import DEFAULT_LINES, Page, entries_page, read_page
from opencode.file.sniff import ATTACHED_TYPES, data_url, has_binary_extension, looks_binary, media_type
from opencode.file.text import printable
from opencode.tool.description import prompt_text
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.file_time import FileTimes
from opencode.tool.tool import Attachment, Tool, ToolContext, ToolError, ToolResult

PREVIEW_LINES = 20
SUGGESTIONS = 3
SNIFFED_BYTES = 4096
ATTACHMENT_BYTES = 20 * 1024 * 1024
_SAFE_INTEGER = 2**53 - 1

NestedInstructions = Callable[[Path, ToolContext], Awaitable[list[Path]]]
"""The instruction files that hold for a path and that the model has not seen yet (spec: system prompt, 4.2)."""


class ReadParams(Wire):
    """Arguments of ``read``."""

    file_path: Annotated[str, Meta(description="Absolute path of the file or directory to read.")]
    offset: (
        Annotated[
            int, Meta(ge=0, le=_SAFE_INTEGER, description="Number of the first line to show; lines count from 1.")
        ]
        | UnsetType
    ) = UNSET
    limit: (
        Annotated[int, Meta(ge=0, le=_SAFE_INTEGER, description="How many lines to show at most. Default 2000.")]
        | UnsetType
    ) = UNSET


class ReadTool(Tool[ReadParams]):
    """``read``: numbered lines of a text file, the entries of a directory, or an image or PDF as attachment."""

    id = "read"
    params = ReadParams

    def __init__(self, times: FileTimes, nested_instructions: NestedInstructions | None = None) -> None:
        self.description = prompt_text("opencode.tool.builtin", "read.md")
        self._times = times
        self._nested_instructions = nested_instructions

    async def run(self, params: ReadParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` for what is missing, binary, or past the end."""
        path = context.resolve(params.file_path)
        with file_errors():
            status = status_of(path)
        is_directory = status is not None and stat.S_ISDIR(status.st_mode)
        await ask_external_directory(context, path, is_directory=is_directory)
        await context.ask("read", patterns=context.names(path), always=["*"], metadata={})
        first = max(1, set_or(params.offset, 1))
        limit = set_or(params.limit, 0) or DEFAULT_LINES
        with file_errors():
            if status is None:
                raise ToolError(await to_thread.run_sync(_missing, path))
            if is_directory:
                return await self._directory(path, first, limit, context)
            if not stat.S_ISREG(status.st_mode):
                raise ToolError(f"Not a regular file, cannot be read: {path}")
            return await self._file(path, status, first, limit, context)

    def count_as_read(self, session_id: SessionID, path: Path) -> None:
        """The session knows a file as it is now, although no call read it."""
        self._times.record(session_id, path, FileStamp.of(path.stat()))

    async def _directory(self, path: Path, first: int, limit: int, context: ToolContext) -> ToolResult:
        page = await to_thread.run_sync(entries_page, path, first, limit, abandon_on_cancel=True)
        if first > max(1, page.total):
            raise ToolError(f"Offset {first} is out of range for this directory ({page.total} entries)")
        if page.truncated:
            note = f"Showing {len(page.lines)} of {page.total} entries. Use offset={page.next} to continue."
        else:
            note = f"{page.total} entries"
        text = "\n".join(page.lines)
        return _result(
            context.relative(path),
            f"<path>{path}</path>\n<type>directory</type>\n<entries>\n{text}\n\n({note})\n</entries>",
            page,
            {
                "type": "directory",
                "path": str(path),
                "entries": page.lines,
                "offset": first,
                "totalEntries": page.total,
                "truncated": page.truncated,
            },
        )

    async def _file(
        self, path: Path, status: os.stat_result, first: int, limit: int, context: ToolContext
    ) -> ToolResult:
        head = _head(path)
        mime = media_type(head)
        if mime in ATTACHED_TYPES:
            result = await _attached(path, status.st_size, mime, context.relative(path))
        elif mime or has_binary_extension(path) or looks_binary(head):
            raise ToolError(f"Cannot read binary file: {path}")
        else:
            page = await near(status.st_size, lambda: read_page(path, first, limit))
            if first > max(1, page.total):
                raise ToolError(f"Offset {first} is out of range for this file ({page.total} lines)")
            result = _text_result(path, context.relative(path), page)
        # The stamp is older than the content: a change in between counts as not seen.
        self._times.record(context.session_id, path, FileStamp.of(status))
        nested = await self._nested_instructions(path, context) if self._nested_instructions else []
        return await _with_instructions(result, nested)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SNIFFED_BYTES)


def _missing(path: Path) -> str:
    """That the file does not exist, and which files with a similar name do."""
    wanted = path.name.lower()
    try:
        names = sorted(printable(entry.name) for entry in path.parent.iterdir())
    except OSError:
        names = []
    similar = [name for name in names if wanted in name.lower() or name.lower() in wanted][:SUGGESTIONS]
    if not similar:
        return f"File not found: {path}"
    return f"File not found: {path}\n\nDid you mean one of these?\n" + "\n".join(str(path.parent / s) for s in similar)


async def _attached(path: Path, size: int, mime: str, title: str) -> ToolResult:
    if size > ATTACHMENT_BYTES:
        raise ToolError(f"File is too large to be attached ({size} bytes, at most {ATTACHMENT_BYTES}): {path}")
    note = "PDF read successfully" if mime == "application/pdf" else "Image read successfully"
    url = await near(size, lambda: data_url(path.read_bytes(), mime))
    return ToolResult(
        title=title,
        output=note,
        metadata={"preview": note, "truncated": False, "loaded": []},
        attachments=[Attachment(mime=mime, url=url)],
    )


def _text_result(path: Path, title: str, page: Page) -> ToolResult:
    last = page.first + len(page.lines) - 1
    if page.capped:
        note = f"Output capped at 50 KB. Showing lines {page.first}-{last} of {page.total}."
    elif page.truncated:
        note = f"Showing lines {page.first}-{last} of {page.total}."
    else:
        note = f"End of file - total {page.total} lines"
    if page.truncated:
        note += f" Use offset={page.next} to continue."
    numbered = "\n".join(f"{number}: {line}" for number, line in enumerate(page.lines, page.first))
    return _result(
        title,
        f"<path>{path}</path>\n<type>file</type>\n<content>\n{numbered}\n\n({note})\n</content>",
        page,
        {
            "type": "file",
            "path": str(path),
            "text": "\n".join(page.lines),
            "lineStart": page.first,
            "lineEnd": last,
            "totalLines": page.total,
            "truncated": page.truncated,
        },
    )


def _result(title: str, output: str, page: Page, display: dict[str, Any]) -> ToolResult:
    preview = "\n".join(page.lines[:PREVIEW_LINES])
    metadata = {"preview": preview, "truncated": page.truncated, "loaded": [], "display": display}
    return ToolResult(title=title, output=output, metadata=metadata)


async def _with_instructions(result: ToolResult, files: list[Path]) -> ToolResult:
    """The result with the instruction files behind the output; ones that cannot be read are left out."""
    blocks = {str(file): text for file in files if (text := await to_thread.run_sync(_readable, file))}
    if not blocks:
        return result
    told = "\n\n".join(f"Instructions from: {file}\n{text}" for file, text in blocks.items())
    return ToolResult(
        title=result.title,
        output=f"{result.output}\n\n<system-reminder>\n{told}\n</system-reminder>",
        metadata={**result.metadata, "loaded": list(blocks)},
        attachments=result.attachments,
    )


def _readable(file: Path) -> str:
    try:
        return read_text(file)
    except OSError:
        return ""
