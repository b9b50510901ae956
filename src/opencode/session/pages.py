"""Lists of sessions and messages, joined from stored bytes without decoding them."""

import base64
import binascii
from typing import Any

import msgspec

from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.core.wire import Wire, encode
from opencode.session.errors import InvalidCursor
from opencode.session.inputs import GlobalPage, GlobalSessionFilter, MessagePage, SessionFilter
from opencode.session.schema import Number
from opencode.storage.database import Database, Rows

LARGEST_INTEGER = 2**63 - 1
LARGEST_LIMIT = 10**9
DEFAULT_LIMIT = 100
SMALL_PAGE = 100
"""Messages that are read at once; more are read in slices, so that they do not hold up the loop."""

_MESSAGES = "SELECT seq, id, created_ms, record FROM message WHERE session_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
_PARTS = (
    "SELECT message_seq, record FROM part WHERE session_id = ? AND message_seq BETWEEN ? AND ? "
    "ORDER BY message_seq, seq"
)
_END = 1 << 62


class _Cursor(Wire):
    """The oldest message of the page before."""

    id: MessageID
    time: int


def session_list(database: Database, project_id: ProjectID, wanted: SessionFilter) -> bytes:
    """A JSON array of one project's sessions (operation ``session.list``)."""
    where, values = ["project_id = ?"], list[Any]([project_id])
    if wanted.directory is not None and wanted.scope != "project":
        where.append("directory = ?")
        values.append(wanted.directory)
    if wanted.path is not None:
        # The sub-path is stored only inside the record; one project's sessions are few enough to look inside.
        path = "json_extract(CAST(record AS TEXT), '$.path')"
        where.append(f"({path} = ? OR {path} LIKE ? ESCAPE '\\')")
        values += [wanted.path, _like_escape(wanted.path) + "/%"]
    _common(where, values, wanted)
    rows = database.read(_select("record", where), [*values, _limit(wanted.limit)])
    return b"[" + b",".join([record for (record,) in rows]) + b"]"


def global_session_list(database: Database, wanted: GlobalSessionFilter) -> GlobalPage:
    """Sessions of all projects, each with its project (operation ``experimental.session.list``)."""
    where, values = ["1"], list[Any]()
    if wanted.directory is not None:
        where.append("directory = ?")
        values.append(wanted.directory)
    if wanted.cursor is not None:
        where.append("updated_ms < ?")
        values.append(_storable(wanted.cursor))
    if not wanted.archived:
        where.append("archived_ms IS NULL")
    _common(where, values, wanted)
    limit = _limit(wanted.limit)
    rows = database.read(_select("updated_ms, project_id, record", where), [*values, limit + 1])
    shown = rows[:limit]
    projects = {project_id: _project_json(database, project_id) for _, project_id, _ in shown}
    items = [record[:-1] + b',"project":' + projects[project_id] + b"}" for _, project_id, record in shown]
    cursor = str(shown[-1][0]) if shown and len(rows) > limit else None
    return GlobalPage(body=b"[" + b",".join(items) + b"]", next_cursor=cursor)


async def message_page(database: Database, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
    """Newest messages before the cursor, oldest first, with their parts (operation ``session.messages``)."""
    if before is not None and not limit:
        raise InvalidCursor("`before` needs `limit`: say how many messages the page should have")
    below = _END if before is None else _position(database, session_id, before)
    rows = await _messages_below(database, session_id, below, min(limit, LARGEST_LIMIT) if limit else None)
    shown = rows[: limit or None][::-1]
    has_more = len(shown) < len(rows)
    if not shown:
        return MessagePage(body=b"[]")
    span = (session_id, shown[0][0], shown[-1][0])
    is_small = len(shown) <= SMALL_PAGE
    parts = database.read(_PARTS, span) if is_small else await database.read_large(_PARTS, span)
    cursor = _cursor(shown[0][1], shown[0][2]) if has_more else None
    return MessagePage(body=_join([(seq, record) for seq, _, _, record in shown], parts), next_cursor=cursor)


async def _messages_below(database: Database, session_id: SessionID, below: int, limit: int | None) -> Rows:
    """Newest first; one more than the limit if there are so many, all without a limit."""
    if limit is not None and limit > SMALL_PAGE:
        return await database.read_large(_MESSAGES, (session_id, below, limit + 1))
    rows = database.read(_MESSAGES, (session_id, below, (limit or SMALL_PAGE) + 1))
    if limit is not None or len(rows) <= SMALL_PAGE:
        return rows
    return await database.read_large(_MESSAGES, (session_id, below, _END))


def one_message(database: Database, session_id: SessionID, message_id: MessageID) -> bytes | None:
    """``{info, parts}`` of one message."""
    query = "SELECT seq, record FROM message WHERE id = ? AND session_id = ?"
    rows = database.read(query, (message_id, session_id))
    if not rows:
        return None
    seq = rows[0][0]
    return _join(rows, database.read(_PARTS, (session_id, seq, seq)))[1:-1]


def _join(messages: list[tuple[Any, ...]], parts: list[tuple[Any, ...]]) -> bytes:
    """One flat join: adding bytes message by message would copy everything many times."""
    out: list[bytes] = [b"["]
    index = 0
    for seq, record in messages:
        out += (b'{"info":', record, b',"parts":[')
        first = index
        while index < len(parts) and parts[index][0] == seq:
            out += (parts[index][1], b",")
            index += 1
        if index > first:
            out.pop()
        out.append(b"]},")
    out[-1] = b"]}]"
    return b"".join(out)


def _cursor(message_id: str, created_ms: int) -> str:
    text = encode(_Cursor(id=MessageID(message_id), time=created_ms))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _position(database: Database, session_id: SessionID, text: str) -> int:
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise InvalidCursor("`before` is no cursor: use the value of `X-Next-Cursor`") from None
    rows = database.read("SELECT seq FROM message WHERE id = ? AND session_id = ?", (cursor.id, session_id))
    if not rows:  # the message is gone since: go on from its time
        query = "SELECT coalesce(max(seq), 0) + 1 FROM message WHERE session_id = ? AND created_ms < ?"
        rows = database.read(query, (session_id, _storable(cursor.time)))
    position: int = rows[0][0]
    return position


def _common(where: list[str], values: list[Any], wanted: SessionFilter | GlobalSessionFilter) -> None:
    if wanted.roots:
        where.append("parent_id IS NULL")
    if wanted.start is not None:
        where.append("updated_ms >= ?")
        values.append(_storable(wanted.start))
    if wanted.search:
        where.append("title LIKE ? ESCAPE '\\'")
        values.append(f"%{_like_escape(wanted.search)}%")


def _select(columns: str, where: list[str]) -> str:
    return f"SELECT {columns} FROM session WHERE {' AND '.join(where)} ORDER BY updated_ms DESC, id DESC LIMIT ?"


def _limit(limit: int | None) -> int:
    return DEFAULT_LIMIT if limit is None else min(max(limit, 0), LARGEST_LIMIT)


def _storable(number: Number) -> Number:
    """The nearest number that SQLite knows: clients send any they like."""
    return max(-LARGEST_INTEGER, min(number, LARGEST_INTEGER))


def _like_escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _project_json(database: Database, project_id: str) -> bytes:
    rows = database.read("SELECT record FROM project WHERE id = ?", (project_id,))
    if not rows:
        return b"null"
    record = msgspec.json.decode(rows[0][0], type=dict[str, Any])
    return encode({key: record[key] for key in ("id", "name", "worktree") if key in record})
