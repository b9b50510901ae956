"""Reading small text files that somebody else may have put there."""

import errno
import os
import stat
from pathlib import Path

LIMIT_BYTES = 4 * 1024 * 1024
"""No file that is read as a whole into a configuration or a prompt is larger."""


def read_text(path: Path) -> str:
    """The text of a regular file, without a byte order mark; wrong UTF-8 becomes replacement characters.

    Pipes and devices are refused, so that no file of a repository can make the server wait. Raises ``OSError``.
    """
    # O_NONBLOCK: opening a pipe would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        data = file.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        raise OSError(errno.EFBIG, f"Larger than {LIMIT_BYTES} bytes", str(path))
    return data.decode("utf-8-sig", "replace")
