"""What a change may do: run statements, and say what follows once they are durable."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

Callback = Callable[[], None]


class Transaction:
    """The part of a commit that belongs to one change. Valid only while that change runs."""

    __slots__ = ("_committed", "_connection", "_over", "_rolled_back")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._committed: list[Callback] = []
        self._rolled_back: list[Callback] = []
        self._over = False

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement; it sees what was written before it."""
        self._check()
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row."""
        self._check()
        self._connection.executemany(sql, rows)

    def after_commit(self, callback: Callback) -> None:
        """Call this on the loop once the change is durable, in order, whatever became of the caller."""
        self._check()
        self._committed.append(callback)

    def after_rollback(self, callback: Callback) -> None:
        """Call this on the loop when nothing of the change was stored."""
        self._check()
        self._rolled_back.append(callback)

    def finish(self, *, committed: bool) -> list[Callback]:
        """End the transaction; gives what is to be called now that the outcome is known."""
        self._over = True
        return self._committed if committed else self._rolled_back

    def _check(self) -> None:
        if self._over:
            raise RuntimeError("A transaction was used after its change had ended.")
