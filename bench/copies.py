"""Fills a stopped server's database by copying rows: to make 100,000 of anything by requests would take too long."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.peers import Peer

FOLDER = "home/.local/share/opencode"
_ORDER = {"message": "seq", "part": "message_seq"}
"""The column of our tables that says in which order messages come; official ones go by the time of creation."""


def database_of(peer: Peer, world: Path) -> Path:
    """Where a server keeps its sessions."""
    return world / FOLDER / ("opencode-server.db" if peer.is_ours else "opencode.db")


def multiply_messages(path: Path, session: str, count: int) -> None:
    """Copy the only message of a session, with its parts, until there are ``count`` of them."""
    with closing(sqlite3.connect(path)) as database, database:
        copy_rows(database, "message", f"session_id = '{session}'", ("id",), count - 1)
        copy_rows(database, "part", f"session_id = '{session}'", ("id", "message_id"), count - 1)


def multiply_session(path: Path, session: str, count: int) -> None:
    """Copy a session, without its messages, until there are ``count`` of them."""
    with closing(sqlite3.connect(path)) as database, database:
        copy_rows(database, "session", f"id = '{session}'", ("id",), count - 1)


def copy_rows(database: sqlite3.Connection, table: str, where: str, ids: tuple[str, ...], count: int) -> None:
    """Rows with ids, and a place in the order, of their own; also inside their records."""
    cursor = database.execute(f"SELECT * FROM {table} WHERE {where}")
    names = [column[0] for column in cursor.description]
    templates = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def copies() -> Iterator[list[object]]:
        for number in range(1, count + 1):
            for template in templates:
                yield list(_numbered(template, ids, _ORDER.get(table), number).values())

    marks = ", ".join("?" * len(names))
    database.executemany(f"INSERT INTO {table} VALUES ({marks})", copies())


def _numbered(template: dict[str, object], ids: tuple[str, ...], order: str | None, number: int) -> dict[str, object]:
    row = dict(template)
    for name in ids:
        row[name] = copied_id(str(template[name]), number)
        if isinstance(record := row.get("record"), bytes):
            row["record"] = record.replace(str(template[name]).encode(), str(row[name]).encode())
    for column in (order, "time_created" if "data" in row else None):
        if column is not None and isinstance(at := row.get(column), int):
            row[column] = at + number
    return row


def copied_id(template: str, number: int) -> str:
    """The id of a copy."""
    return f"{template[:-8]}{number:08d}"
