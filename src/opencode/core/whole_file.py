"""Small files of our own that are replaced in one step: readers, and a crash, see the old text or the new one."""

import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from opencode.core.errors import Unavailable

ABANDONED_SECONDS: Final = 60.0
"""An unfinished file that is older was left by a process that died."""


class FileNotStored(Unavailable):
    """The disk refused a file. What was there before is untouched."""

    name = "FileNotStoredError"

    def __init__(self, path: Path, error: OSError) -> None:
        reason = error.strerror or str(error)
        super().__init__(f"{path} could not be written: {reason}. It was left as it was.", path=str(path))


def write_whole(
    path: Path, data: bytes, *, new_mode: int = 0o666, keep_mode: bool = True, directory_mode: int = 0o777
) -> None:
    """Replace a file, synced to disk. ``new_mode`` is for a file that is new, or always unless ``keep_mode``.

    A missing directory is made, with ``directory_mode``. Raises ``FileNotStored``.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=directory_mode)
        _remove_abandoned(path)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, new_mode)
        with os.fdopen(descriptor, "wb") as file:
            if keep_mode and path.exists():
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise FileNotStored(path, error) from error


def _remove_abandoned(path: Path) -> None:
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
                left.unlink()
