"""Keeps tool outputs within what a model should read; the whole text goes to a file (spec: tools core, section 3)."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from anyio.to_thread import run_sync

from opencode.config.schema import ToolOutputConfig
from opencode.core.wire import UNSET, UnsetType, set_or

MAX_LINES = 2000
MAX_BYTES = 50 * 1024
RETENTION_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """What a model sees of one output at most."""

    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES

    @classmethod
    def from_config(cls, config: ToolOutputConfig | UnsetType) -> "OutputLimits":
        """The limits of the ``tool_output`` setting."""
        if config is UNSET:
            return cls()
        return cls(set_or(config.max_lines, MAX_LINES), set_or(config.max_bytes, MAX_BYTES))

    def allow(self, text: str) -> bool:
        """Whether the text may be seen whole."""
        # Counting bytes is only needed when characters alone do not decide.
        if len(text) > self.max_bytes or text.count("\n") >= self.max_lines:
            return False
        return len(text) * 4 <= self.max_bytes or len(text.encode()) <= self.max_bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """The text for the model, and the file with the whole of it if something was left out."""

    text: str
    path: Path | None = None


class OutputTruncator:
    """Cuts outputs and keeps the whole ones as files of one directory."""

    def __init__(self, limits: OutputLimits, directory: Path, new_name: Callable[[], str]) -> None:
        self.limits = limits
        self._directory = directory
        self._new_name = new_name

    async def truncate(self, text: str, *, may_delegate: bool = False) -> Truncated:
        """The head of the text when it is too long. ``may_delegate``: the agent may give the file to a subagent."""
        if self.limits.allow(text):
            return Truncated(text)
        kept, left_out = head(text, self.limits)
        path = self.new_path()
        await run_sync(save_output, path, text)
        return Truncated(f"{kept}\n\n...{left_out} truncated...\n\n{_hint(path, may_delegate)}", path)

    def new_path(self) -> Path:
        """A path for one more whole output; its directory is made when the file is."""
        return self._directory / self._new_name()


def head(text: str, limits: OutputLimits) -> tuple[str, str]:
    """The leading lines within the limits, and how much is left out (``12 lines``, ``3400 bytes``)."""
    lines = text.split("\n")
    kept, by_bytes = _fitting(lines, limits)
    if by_bytes:
        left_out = len(text.encode()) - len("\n".join(lines[:kept]).encode())
        return "\n".join(lines[:kept]), f"{left_out} bytes"
    return "\n".join(lines[:kept]), f"{len(lines) - kept} lines"


def tail(text: str, limits: OutputLimits) -> str:
    """The last lines within the limits; of a single line that is too long, its end."""
    lines = text.split("\n")
    kept, _ = _fitting(lines[::-1], limits)
    if kept == 0:
        return lines[-1].encode()[-limits.max_bytes :].decode(errors="ignore")
    return "\n".join(lines[-kept:])


def _fitting(lines: Sequence[str], limits: OutputLimits) -> tuple[int, bool]:
    """How many of the lines fit, and whether it was their size that ended it."""
    size = 0
    for index, line in enumerate(lines[: limits.max_lines]):
        size += len(line.encode()) + (1 if index else 0)
        if size > limits.max_bytes:
            return index, True
    return min(len(lines), limits.max_lines), False


def _hint(path: Path, may_delegate: bool) -> str:
    if may_delegate:
        return (
            f"The whole output is in {path}. Let an explore subagent look through it with the task tool, so that it"
            " does not fill your own context; or grep it, or read parts of it with offset and limit."
        )
    return f"The whole output is in {path}. Grep it, or read parts of it with offset and limit."


def save_output(path: Path, text: str) -> None:
    """Write a whole output that only this user can read. Blocks."""
    with create_output(path) as file:
        file.write(text.encode(errors="replace"))


def create_output(path: Path) -> BinaryIO:
    """A new file for a whole output, closed to other users. Blocks."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def clean_outputs(directory: Path, now_ms: int) -> int:
    """Delete whole outputs older than a week; how many. Blocks; to be called every hour."""
    deleted = 0
    with suppress(FileNotFoundError):
        for entry in list(os.scandir(directory)):
            with suppress(FileNotFoundError):
                old = entry.stat(follow_symlinks=False).st_mtime * 1000 < now_ms - RETENTION_MS
                if old and entry.name.startswith("tool_") and entry.is_file(follow_symlinks=False):
                    Path(entry.path).unlink()
                    deleted += 1
    return deleted
