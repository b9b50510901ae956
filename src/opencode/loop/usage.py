"""What a model call used and what it cost (spec: LLM and errors, section 3)."""

import math
from decimal import Decimal

from opencode.core.wire import UNSET
from opencode.provider.request import Metadata
from opencode.provider.schema import CacheCost, CostTier, LongContextCost, ModelCost
from opencode.provider.stream import Usage
from opencode.session.schema import CacheTokens, Number, Tokens

_LONG_CONTEXT = 200_000
_PER_MILLION = Decimal(1_000_000)
_NANO_UNITS_PER_USD = Decimal(10) ** 11

Price = ModelCost | CostTier | LongContextCost
"""USD per million tokens: they all have ``input``, ``output`` and ``cache``."""


def token_counts(usage: Usage) -> Tokens:
    """The counts of one step, apart: cached tokens leave ``input``, reasoning leaves ``output``."""
    total = usage.input + usage.output if usage.total is None else usage.total
    return Tokens(
        total=max(0, total),
        input=max(0, usage.input - usage.cache_read - usage.cache_write),
        output=max(0, usage.output - usage.reasoning),
        reasoning=max(0, usage.reasoning),
        cache=CacheTokens(read=max(0, usage.cache_read), write=max(0, usage.cache_write)),
    )


def price_for(cost: ModelCost, input_tokens: Number) -> Price:
    """The price of a request of this size: the largest tier it exceeds, the long-context price, or the base."""
    tiers = [] if cost.tiers is UNSET else [tier for tier in cost.tiers if input_tokens > tier.tier.size]
    if tiers:
        return max(tiers, key=lambda tier: tier.tier.size)
    if cost.over_200k is not UNSET and input_tokens > _LONG_CONTEXT:
        return cost.over_200k
    return cost


def step_cost(usage: Usage, cost: ModelCost, metadata: Metadata | None = None) -> Number:
    """USD for one step. A provider that bills in units of its own says the amount in its ``metadata``."""
    billed = (metadata or {}).get("copilot", {}).get("totalNanoAiu")
    if isinstance(billed, int | float) and math.isfinite(billed) and billed >= 0:
        return _number(Decimal(str(billed)) / _NANO_UNITS_PER_USD)
    price, tokens = price_for(cost, usage.input), token_counts(usage)
    cache: CacheCost = price.cache
    charges = (
        (tokens.input, price.input),
        (tokens.output, price.output),
        (tokens.reasoning, price.output),
        (tokens.cache.read, cache.read),
        (tokens.cache.write, cache.write),
    )
    # Through ``str``: a float price such as 0.3 means exactly what was written.
    return _number(sum((Decimal(count) * Decimal(str(usd)) for count, usd in charges), Decimal(0)) / _PER_MILLION)


def tokens_and_cost(usage: Usage, cost: ModelCost, metadata: Metadata | None = None) -> tuple[Tokens, Number]:
    """What the step-finish part and the message say of one step."""
    return token_counts(usage), step_cost(usage, cost, metadata)


def _number(amount: Decimal) -> Number:
    """JSON's number; nothing is ``0``, not ``0.0``."""
    return float(amount) if amount > 0 else 0
