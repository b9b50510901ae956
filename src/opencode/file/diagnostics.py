"""What a language server says about a written file, and how the model is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Diagnostics = Mapping[str, Sequence[Mapping[str, Any]]]
"""By absolute path: LSP diagnostics (0-based positions)."""

ERROR = 1
ERRORS_PER_FILE = 20
OTHER_FILES = 5


class AfterWrite(Protocol):
    """What happens to a file once a tool wrote it: formatting (which may change it again), diagnostics."""

    async def __call__(self, path: Path) -> Diagnostics: ...


def error_report(diagnostics: Diagnostics, files: Sequence[Path], *, others: int = 0) -> str:
    """The errors in the files, and in up to ``others`` further ones, as text to append; ``""`` when there are none."""
    wanted = [str(file) for file in files]
    blocks = [_block(file, diagnostics.get(file, ()), "this file") for file in wanted]
    elsewhere = (_block(file, found, "another file") for file, found in diagnostics.items() if file not in wanted)
    blocks += [block for block in elsewhere if block][:others]
    return "".join(blocks)


def _block(file: str, diagnostics: Sequence[Mapping[str, Any]], where: str) -> str:
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.get("severity", ERROR) == ERROR]
    if not errors:
        return ""
    lines = [_line(error) for error in errors[:ERRORS_PER_FILE]]
    if len(errors) > ERRORS_PER_FILE:
        lines.append(f"... and {len(errors) - ERRORS_PER_FILE} more")
    body = "\n".join(lines)
    return f'\n\nThe language server reports errors in {where}:\n<diagnostics file="{file}">\n{body}\n</diagnostics>'


def _line(error: Mapping[str, Any]) -> str:
    start = error["range"]["start"]
    return f"ERROR [{start['line'] + 1}:{start['character'] + 1}] {error['message']}"
