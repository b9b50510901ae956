"""One server process per data directory: who owns it, and where that server listens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from opencode.core.file_lock import try_lock
from opencode.core.wire import UNSET, UnsetType, Wire, decode, encode, replace
from opencode.storage.errors import DataDirectoryInUse, StorageReadOnlyError


class Owner(Wire):
    """What the lock file says. ``started``: milliseconds since the epoch; ``url``: once the server listens."""

    pid: int
    started: int
    url: str | UnsetType = UNSET


class Ownership:
    """A held lock file."""

    def __init__(self, descriptor: int, owner: Owner) -> None:
        self._descriptor = descriptor
        self._owner = owner
        found = os.fstat(descriptor)
        self.mark = f"{found.st_dev:x}.{found.st_ino:x}"
        """Tells this directory, by its lock file, from every other of this machine; a copy of it has another."""
        self.follows_a_crash = found.st_size > 0
        """Whether the owner before ended without giving the directory up."""
        self._write()

    @property
    def owner(self) -> Owner:
        """This process."""
        return self._owner

    def announce(self, url: str) -> None:
        """Tell other processes where this server listens."""
        self._owner = replace(self._owner, url=url)
        self._write()

    def _write(self) -> None:
        # What the file says only helps others; a disk that refuses it makes nobody less an owner.
        # Never empty in between: that would say that the directory was given up.
        with suppress(OSError):
            os.ftruncate(self._descriptor, os.pwrite(self._descriptor, encode(self._owner), 0))


@contextmanager
def own(lock_file: Path, *, now_ms: int) -> Iterator[Ownership]:
    """Hold the lock file; directory and file are made for this user only.

    The lock belongs to the open file: it is gone when the process is, even when it was killed. The file itself
    stays, since removing it would let two processes lock two files of the same name. Raises ``DataDirectoryInUse``,
    and ``StorageReadOnlyError`` when directory or file cannot be made.
    """
    try:
        lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageReadOnlyError(f"The data directory {lock_file.parent} cannot be used: {error}.") from error
    try:
        if not try_lock(descriptor):
            owner = read_owner(lock_file)
            raise DataDirectoryInUse(
                lock_file.parent, pid=owner.pid if owner else None, url=(owner.url or None) if owner else None
            )
        yield Ownership(descriptor, Owner(pid=os.getpid(), started=now_ms))
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def read_owner(lock_file: Path) -> Owner | None:
    """What the lock file says; it may be left from a process that was killed. None when it says nothing."""
    try:
        return decode(lock_file.read_bytes(), Owner)
    except (OSError, msgspec.DecodeError):
        return None
