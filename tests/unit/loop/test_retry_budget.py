"""How much of a turn may be lost on failing calls."""

import pytest

from opencode.core.ids import SessionID
from opencode.loop.failures import Retry
from opencode.loop.retry_budget import RetryBudget, RetryBudgets, RetryLimits

S = SessionID("ses_1")


def test_tries_end_when_their_number_is_used_up() -> None:
    budget = RetryBudget(RetryLimits(turn_attempts=2))
    for left in (2, 1):
        assert (budget.attempts_left, budget.refusal(Retry("busy", 1))) == (left, None)
        budget.take(Retry("busy", 1))
    assert budget.attempts_left == 0
    assert budget.refusal(Retry("busy", 0)) == "no more tries: 2 in a turn (retry.turn_attempts)"


def test_failed_calls_and_waits_take_from_the_same_time() -> None:
    budget = RetryBudget(RetryLimits(turn_seconds=100))
    budget.lost(30)
    budget.take(Retry("busy", 50))
    assert budget.seconds_left == 20
    assert budget.refusal(Retry("busy", 20)) is None
    assert "retry.turn_seconds" in str(budget.refusal(Retry("busy", 21)))
    budget.lost(300)
    assert budget.seconds_left == 0


@pytest.mark.parametrize("seconds", [0, 1_800])
def test_a_wait_as_long_as_the_limit_fits_in(seconds: float) -> None:
    assert RetryBudget(RetryLimits()).refusal(Retry("busy", seconds)) is None


def test_each_turn_has_a_budget_of_its_own() -> None:
    budgets = RetryBudgets(RetryLimits(turn_attempts=1))
    budgets.of(S).take(Retry("busy", 1))
    assert budgets.of(S).attempts_left == 0
    assert budgets.of(SessionID("ses_2")).attempts_left == 1
    budgets.end(S)
    assert budgets.of(S).attempts_left == 1
