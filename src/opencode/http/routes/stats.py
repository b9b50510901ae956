"""``/experimental/stats``: what sessions have used."""

from opencode.core.errors import Invalid
from opencode.core.wire import UNSET, UnsetType, set_or
from opencode.http.operation import operation
from opencode.http.schema import DirectoryQuery, QueryCount
from opencode.instance.shared import Shared
from opencode.session.statistics import since_days_ago, usage_statistics
from opencode.session.statistics_schema import UsageStatistics


class StatsQuery(DirectoryQuery):
    """``days``: only sessions used in the last so many days, 0: today; ``project``: only those of this project."""

    days: QueryCount | UnsetType = UNSET
    project: str | UnsetType = UNSET


@operation("experimental.stats.get", "GET", "/experimental/stats", source="ours", errors=("BadRequest",))
async def get_stats(shared: Shared, query: StatsQuery) -> UsageStatistics:
    """What the sessions of all projects, or of one, have used: messages, tokens, cost, models, tools."""
    days = set_or(query.days, None)
    if days is not None and days < 0:
        raise Invalid("days must be 0 (today) or more", field="days")
    return await usage_statistics(
        shared.database,
        since_ms=0 if days is None else since_days_ago(days, shared.clock.now_ms()),
        project_id=set_or(query.project, None),
    )


operations = (get_stats,)
