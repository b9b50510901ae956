"""One finished tool call as lines for a terminal."""

from typing import Any, Final

from opencode.session.schema import ToolPart, ToolStateCompleted, ToolStateError

_OUTPUT_LINES: Final = 12
_WIDTH: Final = 160
_MAIN_ARGUMENT: Final = (
    "command", "filePath", "pattern", "url", "query", "description", "name", "path"
)  # fmt: skip
_SHOWS_OUTPUT: Final = frozenset({"bash"})


def tool_lines(part: ToolPart) -> list[str]:
    """``✓ read  src/app.py`` or ``✗ bash  pytest`` with the error; for commands, the beginning of the output."""
    match part.state:
        case ToolStateCompleted(title=title, input=given, output=output):
            lines = [f"✓ {_named(part.tool, title or _subject(given))}"]
            return [*lines, *_block(output)] if part.tool in _SHOWS_OUTPUT else lines
        case ToolStateError(input=given, error=error):
            return [f"✗ {_named(part.tool, _subject(given))}", *_block(error)]
    return []


def _named(tool: str, subject: str) -> str:
    return f"{tool:<6} {_one_line(subject)}".rstrip()


def _subject(given: dict[str, Any]) -> str:
    """The argument that tells the call from others."""
    return next((str(given[name]) for name in _MAIN_ARGUMENT if given.get(name)), "")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _block(text: str) -> list[str]:
    """The first lines, indented; how many more there are."""
    lines = text.strip("\n").splitlines()
    shown = [f"    {line[:_WIDTH]}" for line in lines[:_OUTPUT_LINES]]
    more = len(lines) - len(shown)
    return [*shown, f"    … {more} more lines"] if more else shown
