"""``glob``: find files by name (spec: file tools, 3)."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.file.search import FileSearch
from opencode.tool.description import prompt_text
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult

LIMIT = 100


class GlobParams(Wire):
    """Arguments of ``glob``."""

    pattern: Annotated[str, Meta(description="Glob that the paths of files must match, such as `src/**/*.ts`.")]
    path: (
        Annotated[str, Meta(description="Directory to search. Leave it out for the project directory.")] | UnsetType
    ) = UNSET


class GlobTool(Tool[GlobParams]):
    """``glob``: absolute paths of files, the most recently changed first, at most ``LIMIT``."""

    id = "glob"
    params = GlobParams

    def __init__(self, search: FileSearch) -> None:
        self.description = prompt_text("opencode.tool.builtin", "glob.md")
        self._search = search

    async def run(self, params: GlobParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` when ``path`` is no directory or the glob cannot be read."""
        asked = {} if params.path is UNSET else {"path": params.path}
        await context.ask(
            "glob", patterns=[params.pattern], always=["*"], metadata={"pattern": params.pattern, **asked}
        )
        root = context.resolve(set_or(params.path, None))
        await ask_external_directory(context, root, is_directory=True)
        check_directory(root)
        with file_errors():
            # Models like to give whole paths; what is left of one is anchored by its slash.
            found = await self._search.glob(root, params.pattern.removeprefix(str(root)), limit=LIMIT)
        lines = list(found.paths) or ["No files found"]
        if found.truncated:
            lines += ["", f"(Only the first {LIMIT} results are shown. Use a more specific pattern or path.)"]
        return ToolResult(
            title=context.relative(root),
            output="\n".join(lines),
            metadata={"count": len(found.paths), "truncated": found.truncated},
        )


def check_directory(path: Path) -> None:
    """Raises ``ToolError`` unless the path is a directory."""
    if not path.exists():
        raise ToolError(f"Directory not found: {path}")
    if not path.is_dir():
        raise ToolError(f"Path must be a directory, not a file: {path}")
