"""What a turn may lose on failing model calls, which models stand in, and what may be spent: as files write it."""

from typing import Annotated

from msgspec import Meta

from opencode.config.part import ConfigPart, NotNegative, Seconds
from opencode.core.wire import UNSET, UnsetType

Amount = Annotated[float, Meta(ge=0)]


class RetryConfig(ConfigPart):
    """How often a model call that failed is made again. Ours."""

    attempts: Annotated[NotNegative, Meta(description="Retries of one call. Default: 5.")] | UnsetType = UNSET
    turn_attempts: Annotated[NotNegative, Meta(description="Retries in a turn. Default: 20.")] | UnsetType = UNSET
    turn_seconds: (
        Annotated[
            Seconds,
            Meta(
                description="What failed calls and the waits after them may take in a turn. A provider that asks for a"
                " longer wait is not waited for. Default: 1800."
            ),
        ]
        | UnsetType
    ) = UNSET


class BudgetConfig(ConfigPart):
    """What may be spent. Of several sources the least amount counts. Ours."""

    session_usd: Annotated[Amount, Meta(description="USD in a session with all its subagents.")] | UnsetType = UNSET
    day_usd: Annotated[Amount, Meta(description="USD in a day (UTC), in all directories.")] | UnsetType = UNSET
    session_tokens: (
        Annotated[
            NotNegative,
            Meta(description="Tokens in a session with all its subagents: sent, cached, received."),
        ]
        | UnsetType
    ) = UNSET


Fallbacks = list[str] | dict[str, list[str]]
"""Models in order, for every model, or by the model that they stand in for (``*``: any other)."""


def check_fallbacks(value: Fallbacks | UnsetType) -> None:
    """Raises ``ValueError`` for a name that is not ``provider/model``."""
    if value is UNSET:
        return
    chains = value.values() if isinstance(value, dict) else [value]
    names = [name for chain in chains for name in chain]
    names += [name for name in value if name != "*"] if isinstance(value, dict) else []
    for name in names:
        provider, _, model = name.partition("/")
        if not provider or not model:
            raise ValueError(f"Expected `provider/model` in `model_fallback`, found `{name}`")
