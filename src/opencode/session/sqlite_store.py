"""The session store on SQLite: records as JSON bytes beside the columns that queries need."""

import sqlite3
from typing import Any, assert_never

import msgspec

from opencode.core.clock import Clock
from opencode.core.ids import MessageID, PartID, ProjectID, SessionID
from opencode.core.wire import UNSET, encode, replace, set_or
from opencode.event.bus import EventPublisher
from opencode.event.schema import Event
from opencode.session import pages
from opencode.session.changes import (
    AddSpending,
    Change,
    ChangeSession,
    CreateSessionRecord,
    DeleteMessage,
    DeletePart,
    DeleteSession,
    EndRun,
    PutMessage,
    PutPart,
    PutTodos,
    StartRun,
    Tell,
)
from opencode.session.errors import MessageNotFound, MessageTaken, SessionNotFound
from opencode.session.inputs import GlobalPage, GlobalSessionFilter, MessagePage, SessionFilter
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    Message,
    MessagePartRemoved,
    MessagePartUpdated,
    MessageRemoved,
    MessageUpdated,
    MessageWithParts,
    Part,
    Session,
    SessionCreated,
    SessionDeleted,
    SessionUpdated,
    Todo,
    TodoUpdated,
)
from opencode.session.session_writes import SessionWrites, put_session
from opencode.session.spending import Spending, add_spending, read_spending
from opencode.session.store import RunningSession
from opencode.storage.database import Database, Transaction
from opencode.storage.numbers import storable

_OF_SESSION = (
    "part", "message", "todo", "permission_request", "question_request", "queued_prompt", "run", "share",
)  # fmt: skip
"""The tables whose rows go with their session."""
_SESSION = msgspec.json.Decoder(Session)
_MESSAGE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Message)
_PART: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Part)
_TODOS = msgspec.json.Decoder(list[Todo])

# A column that may not be null refuses the row when its owner does not exist. `INSERT .. SELECT` would say the same
# with a temporary table.
_PUT_PART = """
INSERT INTO part (id, session_id, message_id, message_seq, seq, record)
VALUES (?1, ?2, ?3, (SELECT seq FROM message WHERE id = ?3 AND session_id = ?2),
        coalesce((SELECT max(seq) FROM part WHERE session_id = ?2
                  AND message_seq = (SELECT seq FROM message WHERE id = ?3)), 0) + 1, ?4)
ON CONFLICT (id) DO UPDATE SET record = excluded.record WHERE message_id = excluded.message_id
"""
_PUT_MESSAGE = """
INSERT INTO message (id, session_id, seq, role, created_ms, record)
VALUES (?1, (SELECT id FROM session WHERE id = ?2),
        coalesce((SELECT max(seq) FROM message WHERE session_id = ?2), 0) + 1, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET record = excluded.record WHERE session_id = excluded.session_id
"""
# Quotes inside strings are escaped, so these texts are found only where they are fields.
_FIRST_TREE = """
SELECT record FROM part WHERE session_id = ? AND instr(record, ?) AND instr(record, ?)
ORDER BY message_seq, seq LIMIT 1
"""
_LAST_TREE = """
SELECT record FROM part WHERE session_id = ? AND instr(record, ?) AND instr(record, ?)
ORDER BY message_seq DESC, seq DESC LIMIT 1
"""
_NEWEST_SUMMARIES = """
SELECT record FROM message WHERE session_id = ? AND role = 'assistant' AND instr(record, ?) ORDER BY seq DESC LIMIT 4
"""
_EARLIEST = "SELECT coalesce(min(seq), 0) FROM message WHERE +session_id = ? AND id IN (?, ?)"  # by id, not by order


class SqliteSessionStore:
    """Implements ``SessionStore``; its events go out through the publisher of one directory."""

    def __init__(self, database: Database, events: EventPublisher, clock: Clock, directory: str) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._directory = directory

    # --- writing --------------------------------------------------------------------------------------------------

    async def commit(self, *changes: Change) -> list[Session]:
        return await self._database.write(lambda tx: self.apply(tx, *changes))

    def apply(self, tx: Transaction, *changes: Change) -> list[Session]:
        changed: list[Session] = []
        events: list[Event] = []
        sessions = SessionWrites(tx)
        for change in changes:
            match change:
                case CreateSessionRecord(session):
                    put_session(tx, session)
                    events.append(SessionCreated(session_id=session.id, info=session))
                case ChangeSession(session_id, function, silent, touches):
                    session = sessions.change(session_id, function)
                    if touches:
                        session = sessions.change(session_id, self._touched)
                    changed.append(session)
                    if not silent:
                        events.append(SessionUpdated(session_id=session_id, info=session))
                case DeleteSession(session):
                    for table in _OF_SESSION:
                        tx.execute(f"DELETE FROM {table} WHERE session_id = ?", (session.id,))
                    tx.execute("DELETE FROM session WHERE id = ?", (session.id,))
                    sessions.forget(session.id)
                    events.append(SessionDeleted(session_id=session.id, info=session))
                case PutMessage(message, silent):
                    self._put_message(tx, message)
                    if not silent:
                        events.append(MessageUpdated(session_id=message.session_id, info=message))
                case DeleteMessage(session_id, message_id):
                    self._delete_message(tx, session_id, message_id)
                    events.append(MessageRemoved(session_id=session_id, message_id=message_id))
                case PutPart(part, silent):
                    _put_part(tx, part)
                    if not silent:
                        now = self._clock.now_ms()
                        events.append(MessagePartUpdated(session_id=part.session_id, part=part, time=now))
                case DeletePart(session_id, message_id, part_id):
                    tx.execute("DELETE FROM part WHERE id = ? AND message_id = ?", (part_id, message_id))
                    events.append(MessagePartRemoved(session_id=session_id, message_id=message_id, part_id=part_id))
                case PutTodos(session_id, todos):
                    tx.execute("INSERT OR REPLACE INTO todo VALUES (?, ?)", (session_id, encode(todos)))
                    events.append(TodoUpdated(session_id=session_id, todos=todos))
                case StartRun(session_id, kind):
                    row = (session_id, self._directory, kind, self._clock.now_ms())
                    tx.execute("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?)", row)
                case EndRun(session_id):
                    tx.execute("DELETE FROM run WHERE session_id = ?", (session_id,))
                case AddSpending():
                    add_spending(tx, change)
                case Tell(event):
                    events.append(event)
                case _:
                    assert_never(change)
        sessions.write()
        self._events.append(tx, *events)
        return changed

    def _touched(self, session: Session) -> Session:
        return replace(session, time=replace(session.time, updated=self._clock.now_ms()))

    def _put_message(self, tx: Transaction, message: Message) -> None:
        row = (message.id, message.session_id, _role(message), storable(message.time.created), encode(message))
        try:
            written = tx.execute(_PUT_MESSAGE, row).rowcount
        except sqlite3.IntegrityError:
            raise SessionNotFound(message.session_id) from None
        if written == 0:
            raise MessageTaken(message.id)

    def _delete_message(self, tx: Transaction, session_id: SessionID, message_id: MessageID) -> None:
        where = (session_id, message_id)
        row = tx.execute("SELECT seq FROM message WHERE session_id = ? AND id = ?", where).fetchone()
        if row is None:
            raise MessageNotFound(session_id, message_id)
        tx.execute("DELETE FROM part WHERE session_id = ? AND message_seq = ?", (session_id, row[0]))
        tx.execute("DELETE FROM message WHERE id = ?", (message_id,))

    # --- reading --------------------------------------------------------------------------------------------------

    def session_json(self, session_id: SessionID) -> bytes | None:
        rows = self._database.read("SELECT record FROM session WHERE id = ?", (session_id,))
        return rows[0][0] if rows else None

    def session(self, session_id: SessionID) -> Session | None:
        record = self.session_json(session_id)
        return None if record is None else _SESSION.decode(record)

    def sessions_json(self, project_id: ProjectID, wanted: SessionFilter) -> bytes:
        return pages.session_list(self._database, project_id, wanted)

    async def all_sessions_json(self, wanted: GlobalSessionFilter) -> GlobalPage:
        return pages.global_session_list(self._database, wanted)

    def children(self, session_id: SessionID) -> list[Session]:
        query = "SELECT record FROM session WHERE parent_id = ? ORDER BY created_ms, id DESC"
        return [_SESSION.decode(record) for (record,) in self._database.read(query, (session_id,))]

    def small_page(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage | None:
        return pages.small_message_page(self._database, session_id, limit, before)

    async def page(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
        return await pages.message_page(self._database, session_id, limit, before)

    def message_json(self, session_id: SessionID, message_id: MessageID) -> bytes | None:
        return pages.one_message(self._database, session_id, message_id)

    def message(self, session_id: SessionID, message_id: MessageID) -> MessageWithParts | None:
        record = self.message_json(session_id, message_id)
        return None if record is None else msgspec.json.decode(record, type=MessageWithParts)

    def part(self, session_id: SessionID, message_id: MessageID, part_id: PartID) -> Part | None:
        query = "SELECT record FROM part WHERE id = ? AND message_id = ? AND session_id = ?"
        rows = self._database.read(query, (part_id, message_id, session_id))
        part: Part | None = _PART.decode(rows[0][0]) if rows else None
        return part

    def history(self, session_id: SessionID) -> list[MessageWithParts]:
        return self._history_from(session_id, 0)

    def recent_history(self, session_id: SessionID) -> list[MessageWithParts]:
        return self._history_from(session_id, self._recent_start(session_id))

    def history_from(self, session_id: SessionID, message_id: MessageID) -> list[MessageWithParts]:
        found = self._database.read("SELECT seq FROM message WHERE id = ? AND session_id = ?", (message_id, session_id))
        return self._history_from(session_id, found[0][0]) if found else []

    def snapshot_span(self, session_id: SessionID) -> tuple[str, str] | None:
        first = self._database.read(_FIRST_TREE, (session_id, b'"type":"step-start"', b'"snapshot":"'))
        last = self._database.read(_LAST_TREE, (session_id, b'"type":"step-finish"', b'"snapshot":"'))
        if not first or not last:
            return None
        return _PART.decode(first[0][0]).snapshot, _PART.decode(last[0][0]).snapshot

    def _history_from(self, session_id: SessionID, seq: int) -> list[MessageWithParts]:
        span = (session_id, seq)
        messages = self._database.read(
            "SELECT seq, record FROM message WHERE session_id = ? AND seq >= ? ORDER BY seq", span
        )
        parts: dict[int, list[Part]] = {seq: [] for seq, _ in messages}
        query = (
            "SELECT message_seq, record FROM part WHERE session_id = ? AND message_seq >= ? ORDER BY message_seq, seq"
        )
        for seq, record in self._database.read(query, span):
            parts[seq].append(_PART.decode(record))
        return [MessageWithParts(info=_MESSAGE.decode(record), parts=parts[seq]) for seq, record in messages]

    def _recent_start(self, session_id: SessionID) -> int:
        """Where the newest finished compaction, with the tail it kept, begins; 0 when none of the newest few counts."""
        for (record,) in self._database.read(_NEWEST_SUMMARIES, (session_id, b'"summary":true')):
            summary = _MESSAGE.decode(record)
            if not isinstance(summary, AssistantMessage) or summary.finish is UNSET or summary.error is not UNSET:
                continue
            marker = self.message(session_id, summary.parent_id)
            compaction = (
                next((part for part in marker.parts if isinstance(part, CompactionPart)), None) if marker else None
            )
            if compaction is not None:
                ids = (session_id, summary.parent_id, set_or(compaction.tail_start_id, ""))
                start: int = self._database.read(_EARLIEST, ids)[0][0]
                return start
        return 0

    def newest_message_id(self, session_id: SessionID) -> MessageID | None:
        rows = self._database.read("SELECT max(id) FROM message WHERE session_id = ?", (session_id,))
        return MessageID(rows[0][0]) if rows[0][0] else None

    def owner_of(self, message_id: MessageID) -> SessionID | None:
        rows = self._database.read("SELECT session_id FROM message WHERE id = ?", (message_id,))
        return SessionID(rows[0][0]) if rows else None

    def newest_answer_json(self, session_id: SessionID) -> bytes | None:
        query = "SELECT id FROM message WHERE session_id = ? AND role = 'assistant' ORDER BY seq DESC LIMIT 1"
        rows = self._database.read(query, (session_id,))
        return self.message_json(session_id, rows[0][0]) if rows else None

    def todos(self, session_id: SessionID) -> list[Todo]:
        rows = self._database.read("SELECT record FROM todo WHERE session_id = ?", (session_id,))
        return _TODOS.decode(rows[0][0]) if rows else []

    def spending(self, session_id: SessionID, day: str) -> Spending:
        return read_spending(self._database, session_id, day)

    def running(self) -> list[RunningSession]:
        query = "SELECT session_id, kind FROM run WHERE directory = ? ORDER BY started_ms"
        rows = self._database.read(query, (self._directory,))
        return [RunningSession(session_id=SessionID(session_id), kind=kind) for session_id, kind in rows]

    def reverted_trees(self) -> list[str]:
        tree = "json_extract(CAST(record AS TEXT), '$.revert.snapshot')"
        query = f"SELECT {tree} FROM session WHERE directory = ? AND {tree} IS NOT NULL"
        return [tree for (tree,) in self._database.read(query, (self._directory,))]


def _role(message: Message) -> str:
    return str(message.__struct_config__.tag)


def _put_part(tx: Transaction, part: Part) -> None:
    row = (part.id, part.session_id, part.message_id, encode(part))
    try:
        written = tx.execute(_PUT_PART, row).rowcount
    except sqlite3.IntegrityError:
        written = 0
    if written == 0:
        raise MessageNotFound(part.session_id, part.message_id)
