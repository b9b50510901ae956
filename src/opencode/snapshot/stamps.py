"""Tells by time and size whether a file or directory may have changed, without reading it."""

import os
import stat
from typing import Final

Stamp = tuple[int, int, int, int, int]
"""Modification and change time in nanoseconds, size, mode, inode."""
MISSING: Final[Stamp] = (0, 0, 0, 0, 0)
_TICK_NS: Final = 12_000_000
"""The coarsest clock that common file systems stamp with."""
_WHOLE_SECONDS_NS: Final = 2_000_000_000
"""The same for old and network file systems, which show by stamps without a fraction."""


def stamp_of(path: str | bytes | os.PathLike[str]) -> Stamp:
    """The stamp of what the path names, without following a link."""
    try:
        status = os.lstat(path)
    except OSError:
        return MISSING
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode, status.st_ino)


def is_settled(stamp: Stamp, since_ns: int) -> bool:
    """Whether a stamp read after ``since_ns`` proves that nothing was changed after ``since_ns``.

    Two changes within one tick of the file system's clock leave the same stamp, so a recent one proves nothing.
    """
    changed_ns = stamp[1]
    tick = _TICK_NS if changed_ns % 1_000_000_000 else _WHOLE_SECONDS_NS
    return changed_ns < since_ns - tick


def is_directory(stamp: Stamp) -> bool:
    """Whether it is a directory, and no link to one."""
    return stat.S_ISDIR(stamp[3])


def is_backdated(stamp: Stamp) -> bool:
    """Whether the file was touched after the time it names: its time may hide a change of its content."""
    return stamp[0] + _TICK_NS < stamp[1]


def is_storable(stamp: Stamp) -> bool:
    """Whether git can hold it: a regular file or a symbolic link."""
    return stat.S_ISREG(stamp[3]) or stat.S_ISLNK(stamp[3])
