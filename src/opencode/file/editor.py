"""Changes files for the tools: one writer per file, whole writes, announcements, what follows a write."""

import errno
import stat
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from opencode.file.announcer import FileAnnouncer
from opencode.file.diagnostics import AfterWrite, Diagnostics
from opencode.file.disk import FileStamp, near, replace_file, stamp_of, status_of
from opencode.file.errors import FileChanged, FileTooLarge
from opencode.file.locks import FileLocks
from opencode.file.text import TextFile

LIMIT_BYTES = 32 * 1024 * 1024
"""Larger files are not edited: a change holds the old and the new text in memory."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The content of a file and the stamp it had then."""

    content: TextFile
    stamp: FileStamp


class FileEditor:
    """Reads, writes and removes files; publishes ``file.edited`` and ``file.watcher.updated``.

    A change is: hold the file, ``open`` it, compute, ask, ``save`` with the stamp it had when it was opened.
    """

    def __init__(self, announcer: FileAnnouncer, after_write: AfterWrite | None = None) -> None:
        self.announcer = announcer
        self._after_write = after_write
        self._locks = FileLocks()

    def hold(self, *paths: Path) -> AbstractAsyncContextManager[None]:
        """Keep other changes of these files out for as long as the block lasts."""
        return self._locks.hold(*paths)

    async def open(self, path: Path) -> OpenFile | None:
        """The file as it is now; None when there is none. Raises ``OSError``, ``FileTooLarge``."""
        status = status_of(path)
        if status is None:
            return None
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Path is a directory, not a file", str(path))
        if status.st_size > LIMIT_BYTES:
            raise FileTooLarge(path, LIMIT_BYTES)
        data = await near(status.st_size, path.read_bytes)
        return OpenFile(TextFile.decode(data), FileStamp.of(status))

    async def save(self, path: Path, content: TextFile, *, expected: FileStamp | None) -> None:
        """Write a file that was opened with the stamp ``expected`` (None: did not exist) and announce it.

        Raises ``FileChanged`` when it is no longer so, ``OSError``.
        """
        self.verify(path, expected)
        await self.write(path, content)
        self.announcer.edited(path)
        self.announcer.changed(path, "add" if expected is None else "change")

    def verify(self, path: Path, expected: FileStamp | None) -> None:
        """Raises ``FileChanged`` unless the file still has the stamp; None: it must not exist."""
        if stamp_of(path) != expected:
            raise FileChanged(path)

    async def write(self, path: Path, content: TextFile) -> None:
        """Store the content, without a word to anybody. Raises ``OSError``."""
        await to_thread.run_sync(replace_file, path, content.encode())

    async def remove(self, path: Path) -> None:
        """Remove the file, without a word to anybody. Raises ``OSError``."""
        await to_thread.run_sync(path.unlink)

    async def settle(self, path: Path, written: TextFile) -> tuple[TextFile, Diagnostics]:
        """Let formatters and language servers see a written file: its content after that, and what they say."""
        if self._after_write is None:
            return written, {}
        diagnostics = await self._after_write(path)
        now = await self.open(path)
        return (now.content if now else written), diagnostics
