"""What sessions have used, in all: counted by the database, for any number of them."""

import math
import statistics
from datetime import datetime
from typing import Final

from opencode.session.schema import CacheTokens, Tokens
from opencode.session.statistics_schema import ModelUsage, ToolUsage, UsageStatistics
from opencode.storage.database import Database

DAY_MS: Final = 24 * 60 * 60 * 1000

_CHOSEN: Final = "updated_ms >= ?1 AND (?2 IS NULL OR project_id = ?2)"
_OF_CHOSEN: Final = f"session_id IN (SELECT id FROM session WHERE {_CHOSEN})"

_SESSIONS: Final = f"""
SELECT created_ms, updated_ms, coalesce(json_extract(json, '$.cost'), 0),
    coalesce(json_extract(json, '$.tokens.input'), 0), coalesce(json_extract(json, '$.tokens.output'), 0),
    coalesce(json_extract(json, '$.tokens.reasoning'), 0),
    coalesce(json_extract(json, '$.tokens.cache.read'), 0), coalesce(json_extract(json, '$.tokens.cache.write'), 0)
FROM (SELECT created_ms, updated_ms, CAST(record AS TEXT) AS json FROM session WHERE {_CHOSEN})
"""

_MESSAGES: Final = f"SELECT count(*) FROM message WHERE {_OF_CHOSEN}"

_MODELS: Final = f"""
SELECT json_extract(json, '$.providerID') AS provider, json_extract(json, '$.modelID') AS model, count(*) AS messages,
    total(json_extract(json, '$.cost')),
    total(json_extract(json, '$.tokens.input')), total(json_extract(json, '$.tokens.output')),
    total(json_extract(json, '$.tokens.reasoning')),
    total(json_extract(json, '$.tokens.cache.read')), total(json_extract(json, '$.tokens.cache.write'))
FROM (SELECT CAST(record AS TEXT) AS json FROM message WHERE role = 'assistant' AND {_OF_CHOSEN})
GROUP BY provider, model ORDER BY messages DESC, provider, model
"""

# A part is stored with its type first and the name of its tool soon after, before what the tool has put out: nothing is
# parsed, and most of a large part is not looked at. Quotes within texts are escaped, so what is looked for is no text.
# LIMIT -1 makes the name before rows are grouped, which otherwise sorts whole parts; the + keeps the scan in its order.
_TOOLS: Final = f"""
SELECT CAST(substr(named, 1, instr(named, CAST('"' AS BLOB)) - 1) AS TEXT) AS tool, count(*) AS calls
FROM (
    SELECT substr(head, instr(head, CAST('"tool":"' AS BLOB)) + 8, 256) AS named
    FROM (
        SELECT substr(record, 1, 1024) AS head FROM part
        WHERE substr(record, 1, 14) = CAST('{{"type":"tool"' AS BLOB) AND +{_OF_CHOSEN} LIMIT -1
    )
    LIMIT -1
)
GROUP BY tool ORDER BY calls DESC, tool
"""


async def usage_statistics(database: Database, *, since_ms: int = 0, project_id: str | None = None) -> UsageStatistics:
    """What the sessions that were used since then, of one project or of all, have used since they were made."""
    chosen = (since_ms, project_id)
    sessions = await database.read_in_thread(_SESSIONS, chosen)
    ((messages,),) = await database.read_in_thread(_MESSAGES, chosen)
    models = await database.read_in_thread(_MODELS, chosen)
    tools = await database.read_in_thread(_TOOLS, chosen)
    cost, *tokens = (sum(column) for column in list(zip(*sessions, strict=True))[2:]) if sessions else (0,) * 6
    return UsageStatistics(
        sessions=len(sessions),
        messages=messages,
        days=_days(sessions),
        cost=cost,
        tokens=_tokens(*tokens),
        median_tokens=statistics.median(sum(row[3:]) for row in sessions) if sessions else 0,
        models=[
            ModelUsage(provider_id=provider, model_id=model, messages=count, cost=usd, tokens=_tokens(*used))
            for provider, model, count, usd, *used in models
        ],
        tools=[ToolUsage(tool=tool, calls=calls) for tool, calls in tools],
    )


def since_days_ago(days: int, now_ms: int) -> int:
    """When the last so many days began, in ms; the day that is today for 0."""
    if days:
        return max(0, now_ms - days * DAY_MS)
    today = datetime.fromtimestamp(now_ms / 1000).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(today.timestamp() * 1000)


def _days(sessions: list[tuple[int, ...]]) -> int:
    if not sessions:
        return 0
    span_ms = max(row[1] for row in sessions) - min(row[0] for row in sessions)
    return max(1, math.ceil(span_ms / DAY_MS))


def _tokens(*counts: float) -> Tokens:
    sent, output, reasoning, read, write = map(int, counts)
    return Tokens(input=sent, output=output, reasoning=reasoning, cache=CacheTokens(read=read, write=write))
