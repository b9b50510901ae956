"""The rows of asks that wait for a reply; they outlive the process."""

from collections.abc import Iterable

from opencode.core.ids import PermissionID
from opencode.core.wire import decode, encode
from opencode.permission.schema import PermissionRequest
from opencode.storage.database import Database, Transaction


class PermissionStore:
    """The asks of one directory."""

    def __init__(self, database: Database, directory: str) -> None:
        self._database = database
        self._directory = directory

    def all(self) -> list[tuple[PermissionRequest, int]]:
        """Requests with the time they were made in milliseconds, oldest first."""
        rows = self._database.read(
            "SELECT record, created_ms FROM permission_request WHERE directory = ? ORDER BY created_ms, id",
            (self._directory,),
        )
        return [(decode(record, PermissionRequest), created_ms) for record, created_ms in rows]

    def add(self, tx: Transaction, request: PermissionRequest, created_ms: int) -> None:
        tx.execute(
            "INSERT INTO permission_request (id, session_id, directory, created_ms, record) VALUES (?, ?, ?, ?, ?)",
            (request.id, request.session_id, self._directory, created_ms, encode(request)),
        )

    def remove(self, tx: Transaction, ids: Iterable[PermissionID]) -> None:
        tx.executemany("DELETE FROM permission_request WHERE id = ?", [(id,) for id in ids])
