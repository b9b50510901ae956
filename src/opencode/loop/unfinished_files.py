"""What a process that died while a tool replaced a file has left beside it: the half that never got its name."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from opencode.file.disk import remove_unfinished
from opencode.session.schema import MessageWithParts, ToolPart, ToolStateRunning
from opencode.tool.patch import ADD, MOVE, UPDATE


def clear_unfinished(history: Iterable[MessageWithParts], directory: Path) -> None:
    """Remove it for the calls that still run: their arguments name the files, relative to the directory."""
    for folder in {folder for path in _written(history) if (folder := _folder_of(directory / path)) is not None}:
        remove_unfinished(folder)


def _written(history: Iterable[MessageWithParts]) -> Iterator[str]:
    for message in history:
        for part in message.parts:
            if isinstance(part, ToolPart) and isinstance(part.state, ToolStateRunning):
                yield from _paths(part.state.input)


def _paths(arguments: dict[str, object]) -> Iterator[str]:
    """The files that an edit, a write or a patch names; arguments are as the model gave them."""
    if isinstance(path := arguments.get("filePath"), str):
        yield path
    if isinstance(patch := arguments.get("patchText"), str):
        for line in patch.splitlines():
            for word in (ADD, UPDATE, MOVE):
                if line.startswith(word):
                    yield line.removeprefix(word).strip()


def _folder_of(path: Path) -> Path | None:
    """Where the file of a path lies, links followed; None for what no path can be."""
    try:
        return path.resolve().parent
    except (OSError, ValueError, RuntimeError):
        return None
