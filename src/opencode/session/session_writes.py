"""The sessions that one transaction changes."""

from collections.abc import Callable

import msgspec

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, encode
from opencode.session.errors import SessionNotFound
from opencode.session.schema import Session
from opencode.storage.numbers import storable
from opencode.storage.transaction import Transaction

_SESSION = msgspec.json.Decoder(Session)
_PUT_SESSION = """
INSERT INTO session (id, project_id, parent_id, directory, title, created_ms, updated_ms, archived_ms, record)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, updated_ms = excluded.updated_ms,
    archived_ms = excluded.archived_ms, record = excluded.record
"""


class SessionWrites:
    """Reads each session once and writes it once, when all its changes are known."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[SessionID, Session] = {}
        self._changed: dict[SessionID, Session] = {}

    def change(self, session_id: SessionID, function: Callable[[Session], Session]) -> Session:
        """What the function makes of the session as it is by now. Raises ``SessionNotFound``."""
        current = self._changed.get(session_id)
        if current is None:
            current = self._stored[session_id] = self._read(session_id)
        self._changed[session_id] = session = function(current)
        return session

    def forget(self, session_id: SessionID) -> None:
        """The session is gone."""
        self._changed.pop(session_id, None)

    def write(self) -> None:
        """Store what was changed."""
        for session_id, session in self._changed.items():
            _update(self._tx, self._stored[session_id], session)

    def _read(self, session_id: SessionID) -> Session:
        row = self._tx.execute("SELECT record FROM session WHERE id = ?", (session_id,)).fetchone()
        if row is None:
            raise SessionNotFound(session_id)
        return _SESSION.decode(row[0])


def put_session(tx: Transaction, session: Session) -> None:
    """Store a session, new or imported again."""
    time = session.time
    row = (
        session.id,
        session.project_id,
        None if session.parent_id is UNSET else session.parent_id,
        session.directory,
        session.title,
        storable(time.created),
        storable(time.updated),
        None if time.archived is UNSET else storable(time.archived),
        encode(session),
    )
    tx.execute(_PUT_SESSION, row)


def _update(tx: Transaction, before: Session, after: Session) -> None:
    """Write the columns that differ: an index is written for a column that is only named, too."""
    columns: dict[str, object] = {"record": encode(after)}
    if after.title != before.title:
        columns["title"] = after.title
    if after.time.updated != before.time.updated:
        columns["updated_ms"] = storable(after.time.updated)
    if after.time.archived != before.time.archived:
        columns["archived_ms"] = None if after.time.archived is UNSET else storable(after.time.archived)
    named = ", ".join(f"{name} = ?" for name in columns)
    tx.execute(f"UPDATE session SET {named} WHERE id = ?", (*columns.values(), after.id))
