"""Reading and replacing whole files, so that nobody ever sees half of one."""

import errno
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

T = TypeVar("T")

INLINE_BYTES = 64 * 1024
"""Up to this size the event loop does it: to read that from the page cache takes less than a thread switch."""
_UNFINISHED = ".opencode-*.tmp"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Tells one state of a file from another."""

    modified_ns: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> "FileStamp":
        return cls(status.st_mtime_ns, status.st_size)

    @property
    def modified_ms(self) -> int:
        """When the file was changed, in milliseconds since the epoch."""
        return self.modified_ns // 1_000_000


def status_of(path: Path) -> os.stat_result | None:
    """The status of what the path leads to; None when there is nothing. Raises other ``OSError``."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def stamp_of(path: Path) -> FileStamp | None:
    """The present stamp of a file; None when there is none."""
    status = status_of(path)
    return FileStamp.of(status) if status else None


async def near(size_bytes: int, work: Callable[[], T]) -> T:
    """The result of work on so much data: done here when that is little, in a thread otherwise.

    The work changes nothing: a thread is left to itself when the caller is cancelled.
    """
    return work() if size_bytes <= INLINE_BYTES else await to_thread.run_sync(work, abandon_on_cancel=True)


def replace_file(path: Path, data: bytes) -> None:
    """Store the bytes under the path at once: readers see the old file or the new one. Makes parent directories.

    A symbolic link stays and its target is replaced; permissions and owner stay. Files with several hard links,
    devices, and files in a directory that may not be written are overwritten in place, which is not atomic. Not
    synced to disk: file systems keep the rename behind the data, and a crash then leaves one of the two whole.
    Raises ``OSError``; a read-only file is refused.
    """
    target = Path(os.path.realpath(path))
    before = status_of(target)
    if before is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    elif not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "File is read-only", str(path))
    elif not stat.S_ISREG(before.st_mode) or before.st_nlink > 1:
        target.write_bytes(data)
        return
    temporary = target.parent / _UNFINISHED.replace("*", secrets.token_hex(8))
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except PermissionError:
        if before is None:
            raise
        target.write_bytes(data)
        return
    try:
        _fill(handle, data, before)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what ``replace_file`` left in a folder when its process died before the file had its name."""
    with suppress(OSError):
        for path in folder.glob(_UNFINISHED):
            path.unlink()


def _fill(handle: int, data: bytes, before: os.stat_result | None) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        if before is None:
            return
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
            with suppress(PermissionError):
                os.fchown(handle, before.st_uid, before.st_gid)
        os.fchmod(handle, stat.S_IMODE(before.st_mode))
