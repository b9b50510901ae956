"""A lock on an open file that ends with the process, however it ends."""

import sys

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
    import os

    _FAR_AWAY = 1 << 30  # a locked byte cannot be read, so one that no text reaches

    def try_lock(descriptor: int) -> bool:
        """Take the lock; False when another process has it."""
        os.lseek(descriptor, _FAR_AWAY, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock; False when another process has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
