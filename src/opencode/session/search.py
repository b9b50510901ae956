"""Full-text search over session titles and the text of messages, on SQLite's FTS5.

Triggers note what changes (``storage/migrations/0002_search.sql``); a search first brings the index up to date, so
writing costs nothing for it and no search misses what was acknowledged before it began.
"""

import re
from typing import Any, Final

import msgspec

from opencode.core.errors import Invalid
from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.session.schema import Part, Session, TextPart
from opencode.storage.database import Database, Transaction

DEFAULT_LIMIT: Final = 20
LARGEST_LIMIT: Final = 100
LONGEST_QUERY: Final = 1000
"""Characters."""

_BATCH: Final = 50
"""Documents per transaction, a few milliseconds: others write in between."""

_SNIPPET_WORDS: Final = 24
_BEGIN, _END = "\x02", "\x03"
_JOIN: Final = "\u200b"
_UNSPACED: Final = re.compile(
    r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)
"""Scripts without spaces between words. Each character becomes a word, parted from the next by a space nobody sees."""

_TEXT: Final = b'"type":"text"'

_PART: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Part)
_SESSION = msgspec.json.Decoder(Session)

_FIND: Final = """
SELECT document.message_id, snippet(search_text, -1, ?, ?, '…', ?), -bm25(search_text, 8.0, 1.0), session.record
FROM search_text JOIN search_document AS document ON document.id = search_text.rowid
JOIN session ON session.id = document.session_id
WHERE search_text MATCH ? AND session.project_id = ? AND (? IS NULL OR session.directory = ?)
ORDER BY bm25(search_text, 8.0, 1.0), session.updated_ms DESC, document.id LIMIT ?
"""


class SearchQuery(Wire):
    """What to look for. ``directory``: only sessions of this one; else of the whole project."""

    query: str
    directory: str | None = None
    limit: int = DEFAULT_LIMIT


class SnippetPiece(Wire):
    """A run of text, and whether it is what was looked for."""

    text: str
    match: bool


class SessionSearchHit(Wire):
    """A title, or the message ``message_id``, that has all words. ``score``: the higher the better."""

    session: Session
    message_id: MessageID | UnsetType = UNSET
    score: float
    snippet: list[SnippetPiece]


class SessionSearch:
    """Searches the sessions of one project."""

    def __init__(self, database: Database, project_id: ProjectID) -> None:
        self._database = database
        self._project_id = project_id

    async def find(self, wanted: SearchQuery) -> list[SessionSearchHit]:
        """Titles and messages that have every word of the query, or words that begin so; best first.

        Raises ``Invalid`` for a query without a word. Source: operation ``session.search`` (ours).
        """
        if len(wanted.query) > LONGEST_QUERY:
            raise Invalid(f"The query has more than {LONGEST_QUERY} characters", field="query")
        expression = match_expression(wanted.query)
        if not expression:
            raise Invalid("The query has no word to look for", field="query")
        while await self._database.write(_index_some) == _BATCH:
            pass
        limit = max(1, min(wanted.limit, LARGEST_LIMIT))
        directory = wanted.directory
        marks = (_BEGIN, _END, _SNIPPET_WORDS)
        rows = await self._database.read_in_thread(
            _FIND, (*marks, expression, self._project_id, directory, directory, limit)
        )
        return [
            SessionSearchHit(
                session=_SESSION.decode(record),
                message_id=MessageID(message_id) if message_id else UNSET,
                score=score,
                snippet=_pieces(snippet),
            )
            for message_id, snippet, score, record in rows
        ]


def match_expression(query: str) -> str:
    """An FTS5 expression: all words, each as the beginning of one. Nothing in the query has a meaning of its own."""
    words = [_words_apart(word).replace('"', '""') for word in query.split() if re.search(r"\w", word)]
    return " ".join(f'"{word}"*' for word in words)


def _words_apart(text: str) -> str:
    return _UNSPACED.sub(rf"\1{_JOIN}", text)


def _index_some(tx: Transaction) -> int:
    """Bring some documents up to date; how many there were."""
    stale = tx.execute("SELECT session_id, message_id FROM search_stale LIMIT ?", (_BATCH,)).fetchall()
    for key in stale:
        _index(tx, *key)
    tx.executemany("DELETE FROM search_stale WHERE session_id = ? AND message_id = ?", stale)
    return len(stale)


def _index(tx: Transaction, session_id: SessionID, message_id: MessageID) -> None:
    key = (session_id, message_id)
    old = tx.execute("SELECT id FROM search_document WHERE session_id = ? AND message_id = ?", key).fetchone()
    if old is not None:
        tx.execute("DELETE FROM search_text WHERE rowid = ?", old)
        tx.execute("DELETE FROM search_document WHERE id = ?", old)
    title, body = ("", _text_of(tx, *key)) if message_id else (_title_of(tx, session_id), "")
    if title or body:
        new = tx.execute("INSERT INTO search_document (session_id, message_id) VALUES (?, ?)", key).lastrowid
        row = (new, _words_apart(title), _words_apart(body))
        tx.execute("INSERT INTO search_text (rowid, title, body) VALUES (?, ?, ?)", row)


def _title_of(tx: Transaction, session_id: SessionID) -> str:
    row = tx.execute("SELECT title FROM session WHERE id = ?", (session_id,)).fetchone()
    return row[0] if row else ""


def _text_of(tx: Transaction, session_id: SessionID, message_id: MessageID) -> str:
    """What a person wrote or a model said; not what the server added."""
    query = """
        SELECT part.record FROM message JOIN part ON part.session_id = message.session_id AND message_seq = message.seq
        WHERE message.id = ? AND message.session_id = ? AND instr(part.record, ?) ORDER BY part.seq
    """
    parts = [_PART.decode(record) for (record,) in tx.execute(query, (message_id, session_id, _TEXT))]
    return "\n".join(part.text for part in parts if isinstance(part, TextPart) and part.synthetic is not True)


def _pieces(snippet: str) -> list[SnippetPiece]:
    """What matched and what stands around it; characters of one matching phrase come back together."""
    text = snippet.replace(_JOIN, "").replace(_END + _BEGIN, "")
    pieces = re.split(f"{_BEGIN}(.*?){_END}", text, flags=re.DOTALL)
    return [SnippetPiece(text=piece, match=n % 2 == 1) for n, piece in enumerate(pieces) if piece]
