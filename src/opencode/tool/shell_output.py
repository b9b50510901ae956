"""The output of a model's command while it grows: its end in memory, the whole of it in a file when it is long."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from anyio.to_thread import run_sync

from opencode.tool.truncate import OutputLimits, Truncated, create_output, tail

PREVIEW_CHARACTERS = 30_000
"""What clients are shown of it."""
FILE_LIMIT_BYTES = 256 * 1024 * 1024
"""The saved file ends here, whatever the command goes on to print."""


class ShellOutput:
    """Collects text. Use as a context manager: the file is closed at its end."""

    def __init__(self, limits: OutputLimits, new_path: Callable[[], Path]) -> None:
        self._limits = limits
        self._new_path = new_path
        # Enough for the preview and for the tail in any encoding, with room so that it is seldom cut.
        self._keep = max(PREVIEW_CHARACTERS, limits.max_bytes) + 1
        self._text = ""
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self._saved_bytes = 0

    def __enter__(self) -> "ShellOutput":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    async def add(self, text: str) -> None:
        """More output."""
        self._text += text
        if self._file is not None:
            await self._save(text)
        elif len(self._text) > self._keep:
            await self._open()
        if len(self._text) > 2 * self._keep:
            self._text = self._text[-self._keep :]

    def preview(self) -> str:
        """The end of it, for clients."""
        return preview(self._text)

    async def finish(self) -> Truncated:
        """The text for the model: all of it, or its last lines and where the whole is."""
        if self._file is None:
            if self._limits.allow(self._text):
                return Truncated(self._text)
            await self._open()
        assert self._path is not None
        kept = tail(self._text, self._limits)
        return Truncated(f"...output truncated...\n\nFull output saved to: {self._path}\n\n{kept}", self._path)

    async def _open(self) -> None:
        self._path = self._new_path()
        self._file = await run_sync(create_output, self._path)
        await self._save(self._text)

    async def _save(self, text: str) -> None:
        assert self._file is not None
        data = text.encode(errors="replace")[: FILE_LIMIT_BYTES - self._saved_bytes]
        self._saved_bytes += len(data)
        await run_sync(self._file.write, data)


def preview(text: str) -> str:
    """At most the last 30,000 characters."""
    return text if len(text) <= PREVIEW_CHARACTERS else f"...\n\n{text[-PREVIEW_CHARACTERS:]}"
