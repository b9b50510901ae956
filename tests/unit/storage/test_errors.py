"""What users and clients are told when the database cannot be used."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from opencode.storage.database import Database, open_database
from opencode.storage.errors import (
    DatabaseCorrupt,
    DatabaseTooNew,
    DataDirectoryInUse,
    NotOurDatabase,
    StorageBusyError,
    StorageClosedError,
    StorageError,
    StorageFullError,
    StorageIOError,
    StorageReadOnlyError,
    storage_error,
)

PATH = Path("/data/opencode-server.db")
LEFT = "It was left as it is."


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (
            lambda: DatabaseCorrupt(PATH, "page 7"),
            {
                "message": f"The database {PATH} is damaged or is not a database (page 7). {LEFT} Restore one of the "
                f"backups beside it ({PATH.name}.backup-*), or move it away to start afresh.",
                "path": str(PATH),
                "detail": "page 7",
            },
        ),
        (
            lambda: NotOurDatabase(PATH),
            {
                "message": f"{PATH} is the database of another program and was left as it is. "
                "Choose another data directory.",
                "path": str(PATH),
            },
        ),
        (
            lambda: DatabaseTooNew(PATH, 9, 3),
            {
                "message": f"The database {PATH} has schema version 9; this server knows versions up to 3. {LEFT} "
                "Use the newer server, or another data directory.",
                "path": str(PATH),
                "found": 9,
                "known": 3,
            },
        ),
        (
            lambda: StorageClosedError(),
            {"message": "The server is shutting down; the change was not stored."},
        ),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_do(make: Callable[[], StorageError], data: dict[str, Any]) -> None:
    assert make().data == data


@pytest.mark.parametrize(
    ("pid", "url", "owner", "advice"),
    [
        (7, "http://x", "Another opencode server (process 7, http://x)", "Connect to it at http://x"),
        (7, None, "Another opencode server (process 7)", "Connect to it"),
        (None, None, "Another opencode server", "Connect to it"),
    ],
)
def test_who_uses_a_directory_is_told_as_far_as_it_is_known(
    pid: int | None, url: str | None, owner: str, advice: str
) -> None:
    assert DataDirectoryInUse(PATH.parent, pid, url).data == {
        "message": f"{owner} uses the data directory /data. {advice}, stop it, or set XDG_DATA_HOME to another one.",
        "directory": "/data",
        "pid": pid,
        "url": url,
    }


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            sqlite3.SQLITE_FULL,
            StorageFullError,
            f"The disk is full: {PATH} cannot grow. Free some space and try again.",
        ),
        (
            sqlite3.SQLITE_READONLY,
            StorageReadOnlyError,
            f"{PATH} cannot be written (why). Check permissions of file and directory.",
        ),
        (
            sqlite3.SQLITE_CANTOPEN,
            StorageReadOnlyError,
            f"{PATH} cannot be written (why). Check permissions of file and directory.",
        ),
        (
            sqlite3.SQLITE_IOERR_WRITE,
            StorageIOError,
            f"Reading or writing {PATH} failed (why). Check the disk, its space and quota.",
        ),
        (
            sqlite3.SQLITE_BUSY,
            StorageBusyError,
            f"Another program keeps {PATH} locked. Close it and try again.",
        ),
        (sqlite3.SQLITE_NOTADB, DatabaseCorrupt, DatabaseCorrupt(PATH, "why").message),
    ],
)
def test_failures_of_disk_and_file_have_types(code: int, kind: type[StorageError], message: str) -> None:
    error = sqlite3.OperationalError("why")
    error.sqlite_errorcode = code
    typed = storage_error(error, PATH)
    assert (type(typed), str(typed)) == (kind, message)


def test_mistakes_in_statements_are_no_failures_of_the_disk() -> None:
    error = sqlite3.IntegrityError("why")
    assert storage_error(error, PATH) is None
    error.sqlite_errorcode = sqlite3.SQLITE_CONSTRAINT
    assert storage_error(error, PATH) is None


def _read(database: Database) -> Callable[..., Awaitable[object]]:
    async def read(sql: str, parameters: tuple[object, ...] = ()) -> object:
        return database.read(sql, parameters)

    return read


READS: dict[str, Callable[[Database], Callable[..., Awaitable[object]]]] = {
    "small": _read,
    "large": lambda database: database.read_large,
    "in a thread": lambda database: database.read_in_thread,
}


@pytest.mark.parametrize("way", READS)
async def test_every_way_to_read_takes_parameters_and_says_why_it_fails(tmp_path: Path, way: str) -> None:
    path = tmp_path / "opencode-server.db"
    async with open_database(path) as database:
        read = READS[way](database)
        database.read("PRAGMA query_only = ON")
        assert await read("SELECT ?, ?", ("a", 1)) == [("a", 1)]
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await read("SELECT 1 FROM nowhere")
        with pytest.raises(StorageReadOnlyError, match=str(path)):
            await read("DELETE FROM todo")
        database.read("PRAGMA query_only = OFF")
