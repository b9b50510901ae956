"""Bringing a database to the schema this server knows: forward only, after a verified backup, or not at all."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from opencode.storage.connection import connect
from opencode.storage.errors import DatabaseCorrupt, DatabaseTooNew, NotOurDatabase

APPLICATION_ID: Final = 0x4F435056
"""``OCPV``, in the file's header: tells our databases from others."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The step from the version before to ``version``."""

    version: int
    sql: str


def known_migrations() -> list[Migration]:
    """The steps in ``migrations/NNNN_name.sql``, in order."""
    folder = files("opencode.storage").joinpath("migrations")
    found = [(file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")]
    return [Migration(int(name.partition("_")[0]), sql) for name, sql in sorted(found)]


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Check the database and run the steps it lacks, each in one transaction.

    A database with content is first copied to ``<name>.backup-<its version>`` and both are checked. Raises
    ``DatabaseCorrupt``, ``NotOurDatabase``, ``DatabaseTooNew``, and the ``sqlite3.Error`` that a step fails with;
    then the database is as it was before that step.
    """
    version = schema_version(connection, path)
    latest = migrations[-1].version
    if version > latest:
        raise DatabaseTooNew(path, version, latest)
    missing = [step for step in migrations if step.version > version]
    if missing and version > 0:
        back_up(connection, path, path.with_name(f"{path.name}.backup-{version}"))
    for step in missing:
        _apply(connection, step)


def schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version in the file; 0 for an empty one. Changes nothing."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise NotOurDatabase(path)
    return int(version)


def back_up(connection: sqlite3.Connection, path: Path, target: Path) -> None:
    """Copy the database and check the copy. Raises ``DatabaseCorrupt``; then there is no copy."""
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        with closing(connect(unfinished)) as copy:
            connection.backup(copy)
            _check(copy, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    unfinished.replace(target)


def _check(copy: sqlite3.Connection, path: Path) -> None:
    findings = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(10)")]
    if findings != ["ok"]:
        raise DatabaseCorrupt(path, "; ".join(findings))


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step.sql}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {step.version};\nCOMMIT;"
        )
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
