"""What can go wrong with the database, in words that say what to do."""

import sqlite3
from pathlib import Path

from opencode.core.errors import Unavailable


class StorageError(Unavailable):
    """The database cannot serve the request. Nothing of the refused change was stored."""

    name = "StorageError"


class StorageFullError(StorageError):
    """No space for the change."""

    name = "StorageFullError"


class StorageReadOnlyError(StorageError):
    """The file or its file system may not be written."""

    name = "StorageReadOnlyError"


class StorageIOError(StorageError):
    """The disk or its file system failed."""

    name = "StorageIOError"


class StorageBusyError(StorageError):
    """Another program holds the database's write lock."""

    name = "StorageBusyError"


class StorageClosedError(StorageError):
    """The server is shutting down."""

    name = "StorageClosedError"

    def __init__(self) -> None:
        super().__init__("The server is shutting down; the change was not stored.")


class DatabaseCorrupt(StorageError):
    """The file is damaged or is no database. Nothing was changed."""

    name = "DatabaseCorruptError"

    def __init__(self, path: str | Path, detail: str) -> None:
        super().__init__(
            f"The database {path} is damaged or is not a database ({detail}). It was left as it is. "
            f"Restore one of the backups beside it ({Path(path).name}.backup-*), or move it away to start afresh.",
            path=str(path),
            detail=detail,
        )


class NotOurDatabase(StorageError):
    """A database of another program. Nothing was changed."""

    name = "NotOurDatabaseError"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is the database of another program and was left as it is. Choose another data directory.",
            path=str(path),
        )


class DatabaseTooNew(StorageError):
    """A newer server wrote the database. Nothing was changed."""

    name = "DatabaseTooNewError"

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"The database {path} has schema version {found}; this server knows versions up to {known}. "
            "It was left as it is. Use the newer server, or another data directory.",
            path=str(path),
            found=found,
            known=known,
        )


class DataDirectoryInUse(StorageError):
    """Another server owns the data directory."""

    name = "DataDirectoryInUseError"

    def __init__(self, directory: Path, pid: int | None, url: str | None) -> None:
        owner = "Another opencode server" + (f" (process {pid}" + (f", {url})" if url else ")") if pid else "")
        connect = f"Connect to it at {url}" if url else "Connect to it"
        super().__init__(
            f"{owner} uses the data directory {directory}. {connect}, stop it, or set XDG_DATA_HOME to another one.",
            directory=str(directory),
            pid=pid,
            url=url,
        )


def storage_error(error: sqlite3.Error, path: str | Path) -> StorageError | None:
    """The typed form of a failure of the disk or file; None for mistakes in SQL and broken constraints."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return StorageFullError(f"The disk is full: {path} cannot grow. Free some space and try again.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return StorageReadOnlyError(f"{path} cannot be written ({error}). Check permissions of file and directory.")
        case sqlite3.SQLITE_IOERR:
            return StorageIOError(f"Reading or writing {path} failed ({error}). Check the disk, its space and quota.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageBusyError(f"Another program keeps {path} locked. Close it and try again.")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseCorrupt(path, str(error))
    return None
