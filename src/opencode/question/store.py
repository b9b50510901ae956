"""The rows of questions that wait for answers; they outlive the process."""

from opencode.core.ids import QuestionID
from opencode.core.wire import decode, encode
from opencode.question.schema import QuestionRequest
from opencode.storage.database import Database, Transaction


class QuestionStore:
    """The questions of one directory."""

    def __init__(self, database: Database, directory: str) -> None:
        self._database = database
        self._directory = directory

    def all(self) -> list[tuple[QuestionRequest, int]]:
        """Requests with the time they were made in milliseconds, oldest first."""
        rows = self._database.read(
            "SELECT record, created_ms FROM question_request WHERE directory = ? ORDER BY created_ms, id",
            (self._directory,),
        )
        return [(decode(record, QuestionRequest), created_ms) for record, created_ms in rows]

    def add(self, tx: Transaction, request: QuestionRequest, created_ms: int) -> None:
        tx.execute(
            "INSERT INTO question_request (id, session_id, directory, created_ms, record) VALUES (?, ?, ?, ?, ?)",
            (request.id, request.session_id, self._directory, created_ms, encode(request)),
        )

    def remove(self, tx: Transaction, id: QuestionID) -> None:
        tx.execute("DELETE FROM question_request WHERE id = ?", (id,))
