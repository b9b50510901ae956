"""``grep``: find lines by a regular expression (spec: file tools, 4)."""

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.file.schema import FoundLines
from opencode.file.search import FileSearch
from opencode.tool.description import prompt_text
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult

LIMIT = 100
MAX_LINE_CHARACTERS = 2000


class GrepParams(Wire):
    """Arguments of ``grep``."""

    pattern: Annotated[str, Meta(description="Regular expression (Rust syntax), matched within single lines.")]
    path: (
        Annotated[str, Meta(description="File or directory to search. Leave it out for the project directory.")]
        | UnsetType
    ) = UNSET
    include: (
        Annotated[str, Meta(description="Glob of the files to search, such as `*.py` or `*.{ts,tsx}`.")] | UnsetType
    ) = UNSET


class GrepTool(Tool[GrepParams]):
    """``grep``: matching lines by file, the most recently changed file first, at most ``LIMIT`` lines."""

    id = "grep"
    params = GrepParams

    def __init__(self, search: FileSearch) -> None:
        self.description = prompt_text("opencode.tool.builtin", "grep.md")
        self._search = search

    async def run(self, params: GrepParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` for an empty or unreadable pattern and a missing path."""
        if not params.pattern:
            raise ToolError("pattern is required")
        optional = {"path": params.path, "include": params.include}
        given = {name: value for name, value in optional.items() if value is not UNSET}
        await context.ask(
            "grep", patterns=[params.pattern], always=["*"], metadata={"pattern": params.pattern, **given}
        )
        root = context.resolve(set_or(params.path, None))
        await ask_external_directory(context, root, is_directory=root.is_dir())
        if not root.exists():
            raise ToolError(f"No such file or directory: {root}")
        with file_errors():
            found = await self._search.grep(root, params.pattern, include=set_or(params.include, None), limit=LIMIT)
        return ToolResult(
            title=params.pattern,
            output="\n".join(_lines(found)),
            metadata={"matches": len(found.matches), "truncated": found.truncated},
        )


def _lines(found: FoundLines) -> Iterator[str]:
    """The output. Matching lines keep their line ends, so that a blank line stands between them."""
    if not found.matches:
        yield "No files found"
        return
    more = f" (only the first {LIMIT} are shown)" if found.truncated else ""
    yield f"Found {len(found.matches)} matches{more}"
    for number, (path, matches) in enumerate(groupby(found.matches, lambda match: match.path)):
        if number:
            yield ""
        yield f"{path}:"
        for match in matches:
            yield f"  Line {match.line}: {_cut(match.text)}"
    if found.truncated:
        yield f"\n(There are more than {LIMIT} matches. Use a more specific pattern, path or include.)"
    if found.incomplete:
        yield "\n(Some paths could not be read and were skipped.)"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE_CHARACTERS else text[:MAX_LINE_CHARACTERS] + "..."
