"""Lists of sessions and messages, joined from stored bytes without decoding them."""

import base64
import binascii
from typing import Any

import msgspec
from anyio import to_thread

from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.core.wire import Wire, encode
from opencode.session.errors import InvalidCursor
from opencode.session.inputs import GlobalPage, GlobalSessionFilter, MessagePage, SessionFilter
from opencode.session.schema import Number
from opencode.storage.database import Database, Rows
from opencode.storage.numbers import storable

LARGEST_LIMIT = 10**9
DEFAULT_LIMIT = 100
SMALL_PAGE = 100
"""Messages that are read at once; more are read in slices, so that they do not hold up the loop."""

_MESSAGES = "SELECT seq, record FROM message WHERE session_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
_PARTS = (
    "SELECT message_seq, record FROM part WHERE session_id = ? AND message_seq BETWEEN ? AND ? "
    "ORDER BY message_seq, seq"
)
_ARRAY = "SELECT CAST('[' || coalesce(group_concat(record), '') || ']' AS BLOB) FROM ({})"
"""Small records joined by SQLite, in the order of the inner query: a fifth cheaper than a row for each."""

_END = 1 << 62
_NO_PART: tuple[int | None, bytes] = (None, b"")


class _Cursor(Wire):
    """The oldest message of the page before."""

    id: MessageID
    time: int


class _CursorTime(Wire):
    created: Number


class _CursorMessage(Wire):
    """What a cursor takes from a message."""

    id: MessageID
    time: _CursorTime


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
    [(array,)] = database.read(_ARRAY.format(_select("record", where)), [*values, _limit(wanted.limit)])
    return array  # type: ignore[no-any-return]


def global_session_list(database: Database, wanted: GlobalSessionFilter) -> GlobalPage:
    """Sessions of all projects, each with its project (operation ``experimental.session.list``)."""
    where, values = ["1"], list[Any]()
    if wanted.directory is not None:
        where.append("directory = ?")
        values.append(wanted.directory)
    if wanted.cursor is not None:
        where.append("updated_ms < ?")
        values.append(storable(wanted.cursor))
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


def small_message_page(
    database: Database, session_id: SessionID, limit: int | None, before: str | None
) -> MessagePage | None:
    """Newest messages before the cursor, oldest first, with their parts (operation ``session.messages``).

    ``None`` when they are too many to be read at once.
    """
    below = _below(database, session_id, limit, before)
    if limit and limit > SMALL_PAGE:
        return None
    rows = database.read(_MESSAGES, (session_id, below, (limit or SMALL_PAGE) + 1))
    if not limit and len(rows) > SMALL_PAGE:
        return None
    shown = _shown(rows, limit)
    return _page(rows, shown, database.read(_PARTS, _span(session_id, shown)))


async def message_page(database: Database, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
    """The same, of any size."""
    small = small_message_page(database, session_id, limit, before)
    if small is not None:
        return small
    below = _below(database, session_id, limit, before)
    most = min(limit, LARGEST_LIMIT) + 1 if limit else _END
    rows = await database.read_large(_MESSAGES, (session_id, below, most))
    shown = _shown(rows, limit)
    parts = await database.read_large(_PARTS, _span(session_id, shown))
    return await to_thread.run_sync(_page, rows, shown, parts)  # to copy tens of megabytes takes a while


def _below(database: Database, session_id: SessionID, limit: int | None, before: str | None) -> int:
    """All messages of the page come before this one."""
    if before is None:
        return _END
    if not limit:
        raise InvalidCursor("`before` needs `limit`: say how many messages the page should have")
    return _position(database, session_id, before)


def _shown(rows: Rows, limit: int | None) -> Rows:
    """The messages of the page, oldest first: the newest was read first, and one more than the page has."""
    return rows[: limit or None][::-1]


def _span(session_id: SessionID, shown: Rows) -> tuple[SessionID, int, int]:
    return (session_id, shown[0][0], shown[-1][0]) if shown else (session_id, 0, 0)


def _page(found: Rows, shown: Rows, parts: Rows) -> MessagePage:
    cursor = _cursor(shown[0][1]) if len(shown) < len(found) else None
    return MessagePage(body=_join(shown, parts), next_cursor=cursor)


def one_message(database: Database, session_id: SessionID, message_id: MessageID) -> bytes | None:
    """``{info, parts}`` of one message."""
    query = "SELECT seq, record FROM message WHERE id = ? AND session_id = ?"
    rows = database.read(query, (message_id, session_id))
    if not rows:
        return None
    seq = rows[0][0]
    return _join(rows, database.read(_PARTS, (session_id, seq, seq)))[1:-1]


def _join(messages: Rows, parts: Rows) -> bytes:
    """One flat join: adding bytes message by message would copy everything many times."""
    out: list[bytes] = []
    rest = iter(parts)
    owner, part = next(rest, _NO_PART)
    opening = b'[{"info":'
    for seq, record in messages:
        out += (opening, record, b',"parts":[')
        if owner == seq:
            out.append(part)
            for owner, part in rest:
                if owner != seq:
                    break
                out += (b",", part)
            else:
                owner = None
        opening = b']},{"info":'
    out.append(b"]}]" if messages else b"[]")
    return b"".join(out)


def _cursor(oldest: bytes) -> str:
    """Where the page before a message ends."""
    message = msgspec.json.decode(oldest, type=_CursorMessage)
    text = encode(_Cursor(id=message.id, time=int(message.time.created)))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _position(database: Database, session_id: SessionID, text: str) -> int:
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise InvalidCursor("`before` is no cursor: use the value of `X-Next-Cursor`") from None
    rows = database.read("SELECT seq FROM message WHERE id = ? AND session_id = ?", (cursor.id, session_id))
    if not rows:  # the message is gone since: go on from its time
        query = "SELECT coalesce(max(seq), 0) + 1 FROM message WHERE session_id = ? AND created_ms < ?"
        rows = database.read(query, (session_id, storable(cursor.time)))
    position: int = rows[0][0]
    return position


def _common(where: list[str], values: list[Any], wanted: SessionFilter | GlobalSessionFilter) -> None:
    if wanted.roots:
        where.append("parent_id IS NULL")
    if wanted.start is not None:
        where.append("updated_ms >= ?")
        values.append(storable(wanted.start))
    if wanted.search:
        where.append("title LIKE ? ESCAPE '\\'")
        values.append(f"%{_like_escape(wanted.search)}%")


def _select(columns: str, where: list[str]) -> str:
    return f"SELECT {columns} FROM session WHERE {' AND '.join(where)} ORDER BY updated_ms DESC, id DESC LIMIT ?"


def _limit(limit: int | None) -> int:
    """How many sessions: a negative limit is none, as for the official server."""
    if limit is None:
        return DEFAULT_LIMIT
    return min(limit, LARGEST_LIMIT) if limit >= 0 else LARGEST_LIMIT


def _like_escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _project_json(database: Database, project_id: str) -> bytes:
    rows = database.read("SELECT record FROM project WHERE id = ?", (project_id,))
    if not rows:
        return b"null"
    record = msgspec.json.decode(rows[0][0], type=dict[str, Any])
    return encode({key: record[key] for key in ("id", "name", "worktree") if key in record})
