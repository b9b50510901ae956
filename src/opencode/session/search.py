"""Full-text search over session titles and the text of messages."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.to_thread
import msgspec

from opencode.core.errors import Invalid
from opencode.core.ids import MessageID, ProjectID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.session.schema import Session
from opencode.session.search_index import SearchIndex, match_expression, without_joins
from opencode.storage.database import Database
from opencode.storage.errors import storage_error

T = TypeVar("T")

DEFAULT_LIMIT: Final = 20
LARGEST_LIMIT: Final = 100
LONGEST_QUERY: Final = 1000
"""Characters."""

_SESSION = msgspec.json.Decoder(Session)
_MATCHES: Final = re.compile("\x02(.*?)\x03", re.DOTALL)


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
    """Searches all sessions of a server, one search at a time, in a thread."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self._database = database
        self._index = index
        self._turn = anyio.Lock()

    async def find(self, project_id: ProjectID, wanted: SearchQuery) -> list[SessionSearchHit]:
        """Titles and messages that have every word of the query, or words that begin so; best first.

        What was acknowledged before is found. Raises ``Invalid`` for a query without a word. Source: operation
        ``session.search`` (ours).
        """
        if len(wanted.query) > LONGEST_QUERY:
            raise Invalid(f"The query has more than {LONGEST_QUERY} characters", field="query")
        words = match_expression(wanted.query)
        if not words:
            raise Invalid("The query has no word to look for", field="query")
        limit = max(1, min(wanted.limit, LARGEST_LIMIT))
        async with self._turn:
            await self._catch_up()
            found = await self._in_thread(lambda: self._index.find(words, project_id, wanted.directory, limit))
        return [
            SessionSearchHit(
                session=_SESSION.decode(record),
                message_id=MessageID(message_id) if message_id else UNSET,
                score=score,
                snippet=_pieces(without_joins(snippet)),
            )
            for message_id, snippet, score, record in found
        ]

    async def _catch_up(self) -> None:
        more = True
        while more:
            noted, more = await self._in_thread(self._index.catch_up)
        await self._database.write(lambda tx: tx.execute("DELETE FROM search_change WHERE seq < ?", (noted,)).rowcount)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(work)
        except sqlite3.Error as error:
            raise storage_error(error, self._index.path) or error from error


@asynccontextmanager
async def open_search(database: Database, path: Path) -> AsyncIterator[SessionSearch]:
    """Search with its index at ``path``, which is opened by the first search."""
    index = SearchIndex(path, database.path)
    try:
        yield SessionSearch(database, index)
    finally:
        index.close()


def _pieces(snippet: str) -> list[SnippetPiece]:
    """What matched and what stands around it; characters of one matching phrase come back together."""
    pieces = _MATCHES.split(snippet.replace("\x03\x02", ""))
    return [SnippetPiece(text=piece, match=n % 2 == 1) for n, piece in enumerate(pieces) if piece]
