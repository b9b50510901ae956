"""What sessions have used, added up by the database."""

from datetime import datetime

from opencode.core.ids import ModelID, PartID, ProviderID
from opencode.core.wire import replace
from opencode.session.changes import Change, ChangeSession, PutMessage, PutPart
from opencode.session.inputs import CreateSession
from opencode.session.schema import CacheTokens, Session, StartTime, Tokens, ToolPart, ToolStateRunning
from opencode.session.statistics import DAY_MS, since_days_ago, usage_statistics
from opencode.session.statistics_schema import ModelUsage, ToolUsage, UsageStatistics
from opencode.session.totals import with_usage
from tests.support.records import assistant_message, text_part, user_message
from tests.unit.session.conftest import Sessions

USED = Tokens(input=10, output=5, reasoning=1, cache=CacheTokens(read=100, write=20))


async def answered(sessions: Sessions, n: int, *tools: str, model: str = "m") -> Session:
    """A session with a prompt and an answer that called these tools and used ``USED`` for half a dollar."""
    session = await sessions.service.create(CreateSession(title=f"Session {n}"))
    asked = user_message(session.id, f"msg_{n}a")
    said = replace(assistant_message(session.id, f"msg_{n}b", asked.id, cost=0.5, tokens=USED), model_id=ModelID(model))
    trap = '"tool":"trap"'
    calls = [
        ToolPart(
            id=PartID(f"prt_{n}{index}"),
            session_id=session.id,
            message_id=said.id,
            call_id=trap,
            tool=tool,
            state=ToolStateRunning(input={"tool": "trap"}, time=StartTime(start=1)),
        )
        for index, tool in enumerate(tools)
    ]
    changes: list[Change] = [
        PutMessage(asked),
        PutMessage(said),
        PutPart(text_part(session.id, asked.id, f"prt_{n}t", trap)),
        *map(PutPart, calls),
        ChangeSession(session.id, lambda session: with_usage(session, USED, 0.5)),
    ]
    (changed,) = await sessions.store.commit(*changes)
    return changed


async def test_without_sessions_everything_is_nothing(sessions: Sessions) -> None:
    assert await usage_statistics(sessions.database) == UsageStatistics(
        sessions=0, messages=0, days=0, cost=0, tokens=Tokens(), median_tokens=0, models=[], tools=[]
    )


async def test_tokens_cost_models_and_tools_are_added_up(sessions: Sessions) -> None:
    await answered(sessions, 1, "read", "bash")
    await answered(sessions, 2, "bash", "mcp_tool", model="n")
    await answered(sessions, 3, model="n")
    await sessions.service.create(CreateSession(title="Nothing used"))
    found = await usage_statistics(sessions.database)
    three = Tokens(input=30, output=15, reasoning=3, cache=CacheTokens(read=300, write=60))
    two = Tokens(input=20, output=10, reasoning=2, cache=CacheTokens(read=200, write=40))
    provider = ProviderID("p")
    assert found == UsageStatistics(
        sessions=4,
        messages=6,
        days=1,
        cost=1.5,
        tokens=three,
        median_tokens=136,
        models=[
            ModelUsage(provider_id=provider, model_id=ModelID("n"), messages=2, cost=1.0, tokens=two),
            ModelUsage(provider_id=provider, model_id=ModelID("m"), messages=1, cost=0.5, tokens=USED),
        ],
        tools=[
            ToolUsage(tool="bash", calls=2),
            ToolUsage(tool="mcp_tool", calls=1),
            ToolUsage(tool="read", calls=1),
        ],
    )


async def test_only_sessions_of_a_project_or_a_time_are_counted(sessions: Sessions) -> None:
    session = await answered(sessions, 1, "read")
    later = session.time.updated + 1
    for nothing in ({"project_id": "other"}, {"since_ms": later}):
        found = await usage_statistics(sessions.database, **nothing)
        assert (found.sessions, found.messages, found.models, found.tools) == (0, 0, [], [])
    found = await usage_statistics(sessions.database, since_ms=session.time.updated, project_id="p1")
    assert (found.sessions, found.messages, len(found.models), len(found.tools)) == (1, 2, 1, 1)


def test_today_begins_at_midnight_and_other_days_are_of_24_hours() -> None:
    noon = datetime(2026, 3, 1, 12, 30)
    now_ms = int(noon.timestamp() * 1000)
    assert since_days_ago(0, now_ms) == int(datetime(2026, 3, 1).timestamp() * 1000)
    assert since_days_ago(2, now_ms) == now_ms - 2 * DAY_MS
    assert since_days_ago(10**9, now_ms) == 0
