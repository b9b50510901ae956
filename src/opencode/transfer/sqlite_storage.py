"""The database of OpenCode since 1.2 (spec: ids and storage, section 3), read from a copy.

Opening a database writes beside it, even to read: its write-ahead log gets an index. So it is copied first.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from opencode.transfer.errors import KeepsChanging
from opencode.transfer.record import Record, parsed

TRIES: Final = 5
NEEDED: Final = {"project", "session", "message", "part"}
TOTALS: Final = ("input", "output", "reasoning")
ICON: Final = {"icon_url": "url", "icon_url_override": "override", "icon_color": "color"}

Row = Mapping[str, Any]


class SqliteStorage:
    """Reads the copy of a database; columns that a version does not have are absent."""

    def __init__(self, name: str, connection: sqlite3.Connection) -> None:
        self.name = name
        self._connection = connection

    def session_ids(self) -> set[str]:
        """As far as they can be read."""
        found: set[str] = set()
        with suppress(sqlite3.DatabaseError):
            found.update(row["id"] for row in self._rows("SELECT id FROM session"))
        return found

    def projects(self) -> Iterator[Record]:
        return (_row_record("project", row, _project) for row in self._rows("SELECT * FROM project"))

    def sessions(self) -> Iterator[Record]:
        rows = self._rows("SELECT * FROM session ORDER BY time_created, id")
        return (_row_record("session", row, _session) for row in rows)

    def messages(self, session_id: str) -> Iterator[tuple[Record, list[Record]]]:
        query = "SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id"
        for row in self._rows(query, session_id):
            parts = self._rows("SELECT id, data FROM part WHERE message_id = ? ORDER BY id", row["id"])
            yield _with_id("message", row), [_with_id("part", part) for part in parts]

    def todos(self, session_id: str) -> Record | None:
        rows = self._rows(
            "SELECT content, status, priority FROM todo WHERE session_id = ? ORDER BY position", session_id
        )
        items = [dict(row) for row in rows]
        return Record(f"todos of {session_id}", items) if items else None

    def saved_permissions(self) -> int:
        if "permission" not in tables(self._connection):
            return 0
        return int(next(self._rows("SELECT count(DISTINCT project_id) AS number FROM permission"))["number"])

    def _rows(self, query: str, *parameters: str) -> Iterator[Row]:
        """The rows one by one. Raises ``sqlite3.Error`` where the file is damaged."""
        with closing(self._connection.execute(query, parameters)) as cursor:
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))


@contextmanager
def open_copy(database: Path) -> Iterator[SqliteStorage | None]:
    """The records of a database, as they were at one moment; None when it is no database of OpenCode.

    Raises ``KeepsChanging``, ``OSError``.
    """
    with tempfile.TemporaryDirectory(prefix="opencode-import-") as folder:
        copy = copied(database, Path(folder))
        with closing(sqlite3.connect(copy, check_same_thread=False)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            usable = tables(connection) >= NEEDED
            yield SqliteStorage(str(database), connection) if usable else None


def tables(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables; none when it is no database."""
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        return set()


def copied(database: Path, folder: Path) -> Path:
    """A copy of a database with its write-ahead log, both of the same moment. Raises ``KeepsChanging``, ``OSError``."""
    log = database.with_name(f"{database.name}-wal")
    for _ in range(TRIES):
        before = _state(database), _state(log)
        copy = shutil.copyfile(database, folder / database.name)
        (folder / log.name).unlink(missing_ok=True)
        if before[1] is not None:
            shutil.copyfile(log, folder / log.name)
        if (_state(database), _state(log)) == before:
            return copy
    raise KeepsChanging(database)


def _state(file: Path) -> tuple[int, int, int] | None:
    """What changes when somebody writes into the file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _row_record(kind: str, row: Row, shape: Any) -> Record:
    place = f"{kind} {row['id']}"
    try:
        return Record(place, shape({name: value for name, value in row.items() if value is not None}))
    except msgspec.DecodeError as error:
        return Record(place, fault=f"no JSON: {error}")


def _with_id(kind: str, row: Row) -> Record:
    record = parsed(f"{kind} {row['id']}", row["data"])
    return Record(record.place, {**record.value, "id": row["id"]}) if isinstance(record.value, dict) else record


def _project(row: Row) -> dict[str, Any]:
    icon = {name: row[column] for column, name in ICON.items() if column in row}
    more = {"icon": icon} if icon else {}
    more |= {name: row[name] for name in ("name", "vcs") if name in row}
    more |= {name: msgspec.json.decode(row[name]) for name in ("sandboxes", "commands") if name in row}
    return {"id": row["id"], "worktree": row["worktree"], "time": _times(row)} | more


def _session(row: Row) -> dict[str, Any]:
    plain = ("id", "slug", "directory", "path", "title", "version", "agent")
    renamed = {"project_id": "projectID", "parent_id": "parentID", "workspace_id": "workspaceID"}
    record = {name: row[name] for name in plain if name in row}
    record |= {name: row[column] for column, name in renamed.items() if column in row}
    record |= {n: msgspec.json.decode(row[n]) for n in ("revert", "permission", "metadata", "model") if n in row}
    summary = {name: row[f"summary_{name}"] for name in ("additions", "deletions", "files") if f"summary_{name}" in row}
    if "summary_diffs" in row:
        summary["diffs"] = msgspec.json.decode(row["summary_diffs"])
    if summary:
        record["summary"] = summary
    if "tokens_input" in row:
        cache = {name: row[f"tokens_cache_{name}"] for name in ("read", "write")}
        record["tokens"] = {name: row[f"tokens_{name}"] for name in TOTALS} | {"cache": cache}
    if "cost" in row:
        record["cost"] = int(row["cost"]) if row["cost"] == int(row["cost"]) else row["cost"]
    if "share_url" in row:
        record["share"] = {"url": row["share_url"]}
    return record | {"time": _times(row)}


def _times(row: Row) -> dict[str, Any]:
    return {name.removeprefix("time_"): value for name, value in row.items() if name.startswith("time_")}
