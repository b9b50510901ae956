"""Which newest messages a compaction leaves as they are (spec: compaction, section 5)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from opencode.config.schema import CompactionConfig
from opencode.core.wire import UNSET, UnsetType
from opencode.loop.visible_history import is_marker
from opencode.provider.schema import Number
from opencode.session.schema import MessageWithParts, UserMessage

SHARE = 0.25
LEAST_TOKENS, MOST_TOKENS = 2_000, 15_000

Estimate = Callable[[Sequence[MessageWithParts]], int]
"""About how many tokens messages have as the model gets them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """``head`` is summarised, ``tail`` stays as it is."""

    head: Sequence[MessageWithParts]
    tail: Sequence[MessageWithParts]


def tail_budget(usable: Number | None, config: CompactionConfig | UnsetType) -> Number:
    """How many tokens the tail may have."""
    if config is not UNSET and config.preserve_recent_tokens is not UNSET:
        return config.preserve_recent_tokens
    return min(max(int((usable or 0) * SHARE), LEAST_TOKENS), MOST_TOKENS)


def cut_history(
    messages: Sequence[MessageWithParts], budget: Number, estimate: Estimate, config: CompactionConfig | UnsetType
) -> Cut:
    """Keep whole turns from the newest on while they fit, then as much of the next as fits.

    When everything would be kept, nothing is: a compaction must make the history shorter.
    """
    limit = None if config is UNSET or config.tail_turns is UNSET else config.tail_turns
    start = len(messages)
    for number, turn in enumerate(_turns_backwards(messages)):
        if limit is not None and number >= limit:
            break
        cost = estimate(messages[turn:start])
        if cost > budget:
            start = _longest_suffix(messages, turn, start, budget, estimate)
            break
        budget -= cost
        start = turn
    return Cut(messages, []) if start == 0 else Cut(messages[:start], messages[start:])


def _turns_backwards(messages: Sequence[MessageWithParts]) -> Iterator[int]:
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message.info, UserMessage) and not is_marker(message):
            yield index


def _longest_suffix(
    messages: Sequence[MessageWithParts], turn: int, end: int, budget: Number, estimate: Estimate
) -> int:
    start = end
    while start - 1 > turn and (cost := estimate(messages[start - 1 : start])) <= budget:
        budget -= cost
        start -= 1
    return start
