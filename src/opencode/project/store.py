"""Projects in the database. Statements that change something run inside a transaction of the caller."""

from collections.abc import Iterable

from opencode.core.ids import ProjectID
from opencode.core.wire import decode, encode
from opencode.project.schema import GLOBAL, Project, ProjectDirectory
from opencode.storage.database import Database, Transaction


class ProjectStore:
    """Reads projects, and writes them inside transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Project]:
        """All projects, oldest first."""
        rows = self._database.read("SELECT record FROM project ORDER BY rowid")
        return [decode(record, Project) for (record,) in rows]

    def get(self, project_id: ProjectID) -> Project | None:
        rows = self._database.read("SELECT record FROM project WHERE id = ?", (project_id,))
        return decode(rows[0][0], Project) if rows else None

    def directories(self, project_id: ProjectID) -> list[ProjectDirectory]:
        """The directories that were opened, in the order they were first seen."""
        rows = self._database.read(
            "SELECT directory FROM project_directory WHERE project_id = ? ORDER BY first_seen_ms, directory",
            (project_id,),
        )
        return [ProjectDirectory(directory=directory) for (directory,) in rows]


def load(tx: Transaction, project_id: ProjectID) -> Project | None:
    """A project as this transaction sees it."""
    row = tx.execute("SELECT record FROM project WHERE id = ?", (project_id,)).fetchone()
    return decode(row[0], Project) if row else None


def save(tx: Transaction, project: Project) -> None:
    """Store a project, new or changed."""
    tx.execute(
        "INSERT INTO project (id, worktree, updated_ms, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "worktree = excluded.worktree, updated_ms = excluded.updated_ms, record = excluded.record",
        (project.id, project.worktree, project.time.updated, encode(project)),
    )


def remember_directory(tx: Transaction, project_id: ProjectID, directory: str, now_ms: int) -> None:
    """Note that a directory belongs to a project, once."""
    tx.execute("INSERT OR IGNORE INTO project_directory VALUES (?, ?, ?)", (project_id, directory, now_ms))


def adopt_sessions(tx: Transaction, project_id: ProjectID, directories: Iterable[str]) -> list[tuple[str, bytes]]:
    """Give the sessions that were made in these directories before they had a project to that project.

    Returns the directory and the new record of each.
    """
    adopted = []
    for directory in directories:
        rows = tx.execute(
            "SELECT id, record FROM session WHERE project_id = ? AND directory = ?", (GLOBAL, directory)
        ).fetchall()
        moved = [(project_id, _with_project(record, project_id), session_id) for session_id, record in rows]
        tx.executemany("UPDATE session SET project_id = ?, record = ? WHERE id = ?", moved)
        adopted += [(directory, record) for _, record, _ in moved]
    return adopted


def _with_project(record: bytes, project_id: ProjectID) -> bytes:
    # The record belongs to a higher layer; only its one field is known here.
    return encode({**decode(record, dict), "projectID": project_id})
