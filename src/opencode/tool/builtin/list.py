"""``list``: the files of a directory as a tree (spec: file tools, 5). Not offered to models by default."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.file.search import FileSearch
from opencode.tool.builtin.glob import check_directory
from opencode.tool.description import prompt_text
from opencode.tool.external_directory import ask_external_directory
from opencode.tool.file_errors import file_errors
from opencode.tool.tool import Tool, ToolContext, ToolResult

LIMIT = 100
LEFT_OUT = (
    *("node_modules", "bower_components", "vendor", "third_party", "__pycache__", ".venv", "venv", "env"),
    *("dist", "build", "target", "bin", "obj", "out", "zig-out", ".zig-cache", ".next", ".turbo"),
    *(".idea", ".vscode", ".cache", "cache", "coverage", ".coverage", "tmp", "temp", "logs"),
)
"""Directories of dependencies, build results and the like."""

Tree = dict[str, "Tree | None"]
"""By name: what is in a directory, None for a file."""


class ListParams(Wire):
    """Arguments of ``list``."""

    path: Annotated[str, Meta(description="Directory to list. Leave it out for the project directory.")] | UnsetType = (
        UNSET
    )
    ignore: Annotated[list[str], Meta(description="Globs of what to leave out.")] | UnsetType = UNSET


class ListTool(Tool[ListParams]):
    """``list``: up to ``LIMIT`` files as an indented tree, directories first."""

    id = "list"
    params = ListParams

    def __init__(self, search: FileSearch) -> None:
        self.description = prompt_text("opencode.tool.builtin", "list.md")
        self._search = search

    async def run(self, params: ListParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` when ``path`` is no directory."""
        root = context.resolve(set_or(params.path, None))
        await ask_external_directory(context, root, is_directory=True)
        await context.ask("list", patterns=[str(root)], always=["*"], metadata={"path": str(root)})
        check_directory(root)
        left_out = [f"!{name.removeprefix('!')}" for name in (*LEFT_OUT, *set_or(params.ignore, []))]
        with file_errors():
            found = await self._search.files(root, left_out, limit=LIMIT)
        lines = [f"{root}/".replace("//", "/"), *_tree_lines(_tree(found.paths), "  ")]
        return ToolResult(
            title=context.relative(root),
            output="\n".join(lines) + "\n",
            metadata={"count": len(found.paths), "truncated": found.truncated},
        )


def _tree(paths: Sequence[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        *directories, name = path.split("/")
        level = tree
        for directory in directories:
            below = level.setdefault(directory, {})
            if below is None:
                break
            level = below
        else:
            level[name] = None
    return tree


def _tree_lines(tree: Tree, indent: str) -> Iterator[str]:
    for name, below in sorted(tree.items(), key=lambda item: (item[1] is None, item[0])):
        if below is None:
            yield f"{indent}{name}"
        else:
            yield f"{indent}{name}/"
            yield from _tree_lines(below, indent + "  ")
