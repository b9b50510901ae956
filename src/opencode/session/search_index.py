"""The index behind session search: a file of its own beside the database, on SQLite's FTS5.

Triggers of the database note what changes (``storage/migrations/0002_search.sql``), so writing costs next to nothing
for it; the index catches up when somebody searches. It can be thrown away at any time: one that is missing, damaged or
of another version is built anew from what is stored.
"""

import re
import sqlite3
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from opencode.session.schema import Part, TextPart
from opencode.storage.connection import connect

VERSION: Final = 1
BATCH: Final = 200
"""Documents at a time: about a tenth of a second."""

_EPOCH: Final = "(SELECT value FROM store.meta WHERE key = 'event.epoch')"
_NEWEST: Final = "(SELECT coalesce(max(seq), 0) FROM store.search_change)"

_SCHEMA: Final = f"""
CREATE TABLE document (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, message_id TEXT NOT NULL, UNIQUE (session_id, message_id)
);
CREATE VIRTUAL TABLE words USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2');
CREATE TABLE waiting (session_id TEXT, message_id TEXT, PRIMARY KEY (session_id, message_id)) WITHOUT ROWID;
CREATE TABLE progress (epoch TEXT NOT NULL, seq INTEGER NOT NULL);
INSERT INTO waiting SELECT DISTINCT session_id, message_id FROM store.part
WHERE instr(record, CAST('"type":"text"' AS BLOB));
INSERT INTO waiting SELECT id, '' FROM store.session;
INSERT INTO progress VALUES ({_EPOCH}, {_NEWEST});
PRAGMA user_version = {VERSION};
"""
_FIND: Final = """
SELECT document.message_id, snippet(words, -1, char(2), char(3), '…', 24), -bm25(words, 8.0, 1.0), session.record
FROM words JOIN document ON document.id = words.rowid JOIN store.session ON session.id = document.session_id
WHERE words MATCH ? AND session.project_id = ? AND (? IS NULL OR session.directory = ?)
ORDER BY bm25(words, 8.0, 1.0), session.updated_ms DESC, document.id LIMIT ?
"""
_JOIN: Final = "\u200b"
_TEXT: Final = b'"type":"text"'
_PART: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Part)

Found = tuple[str, str, float, bytes]
"""Id of the message (``""``: the title), what stands around the words, how good a match, and the session's record."""


class SearchIndex:
    """Belongs to one thread at a time; every method blocks. ``store``: the database, which is only read."""

    def __init__(self, path: Path, store: Path) -> None:
        self.path = path
        self._store = store
        self._connection: sqlite3.Connection | None = None

    def catch_up(self) -> tuple[int, bool]:
        """Look at some of what changed: the number of the last change that is noted, and whether more waits."""
        try:
            return self._catch_up(self._open())
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self.throw_away()
            return self._catch_up(self._open())

    def find(self, words: str, project_id: str, directory: str | None, limit: int) -> list[Found]:
        """What matches an expression of :func:`match_expression`, best first; as of the last :meth:`catch_up`."""
        return self._open().execute(_FIND, (words, project_id, directory, directory, limit)).fetchall()

    def throw_away(self) -> None:
        """Remove the file; the next use makes another."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").unlink()

    def close(self) -> None:
        """Let go of the file. May be opened again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
            try:
                if not _belongs(self._connection):
                    self.throw_away()
                    self._connection = self._connect()
                    self._connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
            except BaseException:
                self.close()  # or the next use would take it for one that is ready
                raise
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self.path.touch(mode=0o600)
        connection = connect(self.path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA wal_autocheckpoint = 1000")
            connection.execute("ATTACH ? AS store", (str(self._store),))
        except BaseException:
            connection.close()
            raise
        return connection

    def _catch_up(self, connection: sqlite3.Connection) -> tuple[int, bool]:
        connection.execute("BEGIN")  # IMMEDIATE would lock the database too, and keep its writer waiting
        try:
            connection.execute(
                "INSERT OR IGNORE INTO waiting SELECT session_id, message_id FROM store.search_change "
                "WHERE seq > (SELECT seq FROM progress)"
            )
            connection.execute(f"UPDATE progress SET seq = {_NEWEST}")
            keys = connection.execute("SELECT session_id, message_id FROM waiting LIMIT ?", (BATCH,)).fetchall()
            for key in keys:
                _index(connection, *key)
            connection.executemany("DELETE FROM waiting WHERE session_id = ? AND message_id = ?", keys)
            (noted,) = connection.execute("SELECT seq FROM progress").fetchone()
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return noted, len(keys) == BATCH


def _belongs(connection: sqlite3.Connection) -> bool:
    """Whether the index is one of this version and of this database, which is not older than when it was last used."""
    if connection.execute("PRAGMA main.user_version").fetchone() != (VERSION,):
        return False
    return bool(connection.execute(f"SELECT epoch = {_EPOCH} AND seq <= {_NEWEST} FROM progress").fetchone()[0])


def match_expression(query: str) -> str:
    """An FTS5 expression: all words of a query, each as the beginning of one. Nothing else in it has a meaning."""
    query = query.replace("\0", " ")  # where the expression would end
    words = [_words_apart(word).replace('"', '""') for word in query.split() if re.search(r"\w", word)]
    return " ".join(f'"{word}"*' for word in words)


def without_joins(text: str) -> str:
    """A found text as it was written."""
    return text.replace(_JOIN, "")


def _words_apart(text: str) -> str:
    """Where a script has no spaces between words, each character becomes a word: a space nobody sees follows it."""
    return _unspaced().sub(rf"\1{_JOIN}", text)


@cache
def _unspaced() -> re.Pattern[str]:
    """Made when it is first needed: a start would wait four milliseconds for it."""
    return re.compile(
        "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
    )


def _index(connection: sqlite3.Connection, session_id: str, message_id: str) -> None:
    key = (session_id, message_id)
    old = connection.execute("SELECT id FROM document WHERE session_id = ? AND message_id = ?", key).fetchone()
    if old is not None:
        connection.execute("DELETE FROM words WHERE rowid = ?", old)
        connection.execute("DELETE FROM document WHERE id = ?", old)
    title, body = ("", _text_of(connection, *key)) if message_id else (_title_of(connection, session_id), "")
    if title or body:
        new = connection.execute("INSERT INTO document (session_id, message_id) VALUES (?, ?)", key).lastrowid
        row = (new, _words_apart(title), _words_apart(body))
        connection.execute("INSERT INTO words (rowid, title, body) VALUES (?, ?, ?)", row)


def _title_of(connection: sqlite3.Connection, session_id: str) -> str:
    row = connection.execute("SELECT title FROM store.session WHERE id = ?", (session_id,)).fetchone()
    return row[0] if row else ""


def _text_of(connection: sqlite3.Connection, session_id: str, message_id: str) -> str:
    """What a person wrote or a model said; not what the server added."""
    query = """
        SELECT part.record FROM store.message JOIN store.part
        ON part.session_id = message.session_id AND message_seq = message.seq
        WHERE message.id = ? AND message.session_id = ? AND instr(part.record, ?) ORDER BY part.seq
    """
    parts = [_PART.decode(record) for (record,) in connection.execute(query, (message_id, session_id, _TEXT))]
    return "\n".join(part.text for part in parts if isinstance(part, TextPart) and part.synthetic is not True)
