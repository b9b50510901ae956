"""Data directories as official servers left them, and what those said of their sessions (``make import-official``)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "fixtures" / "official_data"
VERSIONS = ("1.1.53", "1.2.15", "1.18.33")
FILES, DATABASES = "1.1.53", ("1.2.15", "1.18.33")


def make_data(folder: Path, version: str) -> Path:
    """The data directory of a version below the folder."""
    data = folder / "opencode"
    data.mkdir(parents=True, exist_ok=True)
    if version == FILES:
        write_storage(data / "storage", json.loads((FIXTURES / f"{version}.storage.json").read_text("utf-8")))
    else:
        with closing(sqlite3.connect(data / "opencode.db")) as connection:
            connection.executescript((FIXTURES / f"{version}.sql").read_text("utf-8"))
    return data


def write_storage(storage: Path, records: dict[str, Any]) -> None:
    """A file for each record, by its name."""
    for name, record in records.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_text(json.dumps(record, indent=2, ensure_ascii=False), "utf-8")


@contextmanager
def open_database(data: Path) -> Iterator[sqlite3.Connection]:
    """The database as a running OpenCode has it: what is committed stays in the write-ahead log meanwhile."""
    with closing(sqlite3.connect(data / "opencode.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        yield connection


def said(version: str) -> dict[str, Any]:
    """The account of every session, by id (``scripts/import_official/accounts.py``)."""
    account: dict[str, Any] = json.loads((FIXTURES / f"{version}.api.json").read_text("utf-8"))
    return account


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Times of change and bytes of everything below a folder, and of itself."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths}
