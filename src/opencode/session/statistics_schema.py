"""What sessions have used, as clients see it."""

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import Wire
from opencode.session.schema import Number, Tokens


class ModelUsage(Wire):
    """What the answers of one model have used."""

    provider_id: ProviderID
    model_id: ModelID
    messages: int
    cost: Number
    tokens: Tokens


class ToolUsage(Wire):
    """How often a tool was called."""

    tool: str
    calls: int


class UsageStatistics(Wire):
    """USD and tokens of sessions. ``days``: from the first to the last; ``median_tokens``: of one session.

    ``models`` and ``tools`` begin with the most used.
    """

    sessions: int
    messages: int
    days: int
    cost: Number
    tokens: Tokens
    median_tokens: Number
    models: list[ModelUsage]
    tools: list[ToolUsage]
