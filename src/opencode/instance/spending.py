"""What the configuration says about failing and costly model calls, as the loop wants it."""

from opencode.config.schema import Config
from opencode.core.wire import UNSET, set_or
from opencode.loop.budgets import BudgetLimits
from opencode.loop.fallback import Fallbacks
from opencode.loop.retry_budget import RetryBudgets, RetryLimits
from opencode.provider.schema import Model, ModelRef
from opencode.provider.service import ProviderService


def retry_budgets(config: Config) -> RetryBudgets:
    """What each turn may lose on failing calls."""
    wanted, usual = config.retry, RetryLimits()
    if wanted is UNSET:
        return RetryBudgets(usual)
    return RetryBudgets(
        RetryLimits(
            attempts=set_or(wanted.attempts, usual.attempts),
            turn_attempts=set_or(wanted.turn_attempts, usual.turn_attempts),
            turn_seconds=set_or(wanted.turn_seconds, usual.turn_seconds),
        )
    )


def fallbacks(config: Config, providers: ProviderService) -> Fallbacks:
    """The models that stand in for others."""

    def find(wanted: ModelRef) -> Model:
        return providers.model(wanted.provider_id, wanted.model_id)

    return Fallbacks(set_or(config.model_fallback, []), find)


def budget_limits(config: Config) -> BudgetLimits:
    """What may be spent."""
    wanted = config.budget
    if wanted is UNSET:
        return BudgetLimits()
    return BudgetLimits(
        session_usd=set_or(wanted.session_usd, None),
        day_usd=set_or(wanted.day_usd, None),
        session_tokens=set_or(wanted.session_tokens, None),
    )
