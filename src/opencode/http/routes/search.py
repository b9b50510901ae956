"""``/session/search``: finding sessions by what was said in them."""

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.operation import operation
from opencode.http.schema import QueryCount
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.session.search import DEFAULT_LIMIT, SearchQuery, SessionSearchHit


class SessionSearchQuery(Wire):
    """``query``: words that must all occur, at least as the beginning of one; ``limit``: 20, at most 100."""

    query: str
    directory: str | UnsetType = UNSET
    limit: QueryCount | UnsetType = UNSET


@operation("session.search", "GET", "/session/search", source="ours", errors=("BadRequest",))
async def search_sessions(instance: Instance, shared: Shared, query: SessionSearchQuery) -> list[SessionSearchHit]:
    """Titles and messages of the project's sessions that have all words, best first."""
    return await shared.search.find(
        instance.project.id,
        SearchQuery(
            query=query.query,
            directory=str(instance.directory) if set_or(query.directory, "") else None,
            limit=set_or(query.limit, DEFAULT_LIMIT),
        ),
    )


operations = (search_sessions,)
