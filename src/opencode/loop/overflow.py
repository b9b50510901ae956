"""Whether the history is too long for the model (spec: compaction, section 2)."""

from opencode.config.schema import CompactionConfig
from opencode.core.wire import UNSET, UnsetType
from opencode.provider.schema import Model, Number
from opencode.session.schema import Tokens

BUFFER_TOKENS = 20_000
"""What is kept free for the next answer, where the model has an input limit of its own."""


def usable_tokens(model: Model, max_output: int, config: CompactionConfig | UnsetType) -> Number | None:
    """How many tokens a request may have; None when that is not known.

    A model whose output limit is as large as its context would never have room: that counts as not known too.
    """
    if not model.limit.context:
        return None
    if model.limit.input is UNSET:
        usable = model.limit.context - max_output
    else:
        reserved = UNSET if config is UNSET else config.reserved
        usable = model.limit.input - (min(BUFFER_TOKENS, max_output) if reserved is UNSET else reserved)
    return usable if usable > 0 else None


def overflows(tokens: Tokens, model: Model, max_output: int, config: CompactionConfig | UnsetType) -> bool:
    """Whether a step with this usage leaves no room for another."""
    if config is not UNSET and config.auto is False:
        return False
    usable = usable_tokens(model, max_output, config)
    return usable is not None and used_tokens(tokens) >= usable


def used_tokens(tokens: Tokens) -> Number:
    """Everything the step had in the model's context."""
    if tokens.total is not UNSET and tokens.total:
        return tokens.total
    return tokens.input + tokens.output + tokens.cache.read + tokens.cache.write
