"""What the catalogue says about a model's thinking (``reasoning_options``), as variants."""

from typing import Any

from opencode.provider.schema import Model
from opencode.provider.variant_spelling import Spelling, Variants

ReasoningOptions = list[Any]
"""Objects with a ``type``: ``effort`` (``values``), ``budget_tokens`` (``min``, ``max``), ``toggle``."""

LARGEST_BUDGET, USUAL_BUDGET = 31_999, 16_000


def catalogue_variants(model: Model, options: ReasoningOptions, spelling: Spelling | None) -> Variants | None:
    """The variants that the options name; None when the package cannot say them and the model's name decides.

    No options at all mean that nothing can be chosen. Levels come before budgets, budgets before a mere switch.
    """
    if not options:
        return {}
    kinds = {option["type"]: option for option in options if isinstance(option, dict) and "type" in option}
    if spelling is None:
        return None
    if "effort" in kinds:
        spell = spelling.effort_of(model)
        levels = [_level(value) for value in kinds["effort"].get("values") or []]
        return {level: spell(level) for level in levels} if spell else {}
    found: Variants = {}
    if "toggle" in kinds and spelling.switch is not None:
        off, on = spelling.switch
        found |= {"none": off, "high": on}
    if "budget_tokens" in kinds and spelling.budget is not None:
        high, most = _budgets(model, kinds["budget_tokens"])
        found |= {"high": spelling.budget(high), "max": spelling.budget(most)}
    return found or None


def _level(value: object) -> str:
    """The catalogue says null for no reasoning."""
    return "none" if value is None else str(value)


def _budgets(model: Model, option: dict[str, Any]) -> tuple[int, int]:
    """The usual and the largest budget, in tokens, within what the option and the model's answers allow."""
    limits = [
        limit for limit in (option.get("max"), int(model.limit.output) - 1) if isinstance(limit, int) and limit > 0
    ]
    room = min(limits, default=LARGEST_BUDGET)
    least = option.get("min")
    usual = max(min(USUAL_BUDGET, room // 2), least if isinstance(least, int) else 0)
    return usual, min(LARGEST_BUDGET, room)
