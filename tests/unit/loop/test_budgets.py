"""What a request is expected to take, and what limits say to it."""

from typing import Any

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import replace
from opencode.loop.budgets import BudgetLimits, Budgets, BudgetSpent, BudgetState, rough_tokens
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import CacheCost, ModelCost
from opencode.provider.stream import Usage
from opencode.session.changes import AddSpending
from opencode.session.schema import BudgetExceededErrorData, CacheTokens, Tokens
from tests.support.loop_world import ID, MODEL, LoopWorld, request

DAY = "2026-01-02"


def priced(**cost: Any) -> Any:
    """A request of about 1,000 tokens to a model with these prices."""
    model = replace(MODEL, cost=ModelCost(**cost))
    return replace(request(), model=model, system=["x" * 4_000])


def test_texts_of_every_kind_count_and_media_do_not() -> None:
    everything = replace(
        request(),
        system=["s" * 40],
        tools=[ToolDefinition(name="t", description="d" * 40, parameters={})],
        messages=[
            UserTurn(content=[TextContent(text="u" * 40), FileContent(mime="image/png", url="data:" + "x" * 4_000)]),
            AssistantTurn(content=[ToolCallContent(call_id="c", name="t", input={"a": "i" * 40})]),
            ToolTurn(content=[ToolResultContent(call_id="c", name="t", output="o" * 40)]),
        ],
    )
    assert 50 <= rough_tokens(everything) <= 60


@pytest.mark.parametrize(
    ("limits", "cost", "stopped"),
    [
        (BudgetLimits(), {"input": 1_000}, None),
        (BudgetLimits(session_usd=1.0), {"input": 1_000}, None),
        (BudgetLimits(session_usd=0.99), {"input": 1_000}, "session_usd"),
        (BudgetLimits(day_usd=0.99), {"input": 1_000}, "day_usd"),
        (BudgetLimits(day_usd=0.1), {"input": 1_000, "cache": CacheCost(read=100)}, None),
        (BudgetLimits(session_usd=0), {}, None),
        (BudgetLimits(session_usd=0), {"input": 1}, "session_usd"),
        (BudgetLimits(session_tokens=1_000), {}, None),
        (BudgetLimits(session_tokens=999), {}, "session_tokens"),
    ],
)
async def test_a_call_must_fit_in_at_the_lowest_price_it_may_have(
    place: LoopWorld, limits: BudgetLimits, cost: Any, stopped: str | None
) -> None:
    budgets = Budgets(place.store, place.clock, limits)
    if stopped is None:
        budgets.require(priced(**cost))
        return
    with pytest.raises(BudgetSpent) as raised:
        budgets.require(priced(**cost))
    assert raised.value.state.limit == stopped
    assert f"budget.{stopped}" in str(raised.value)


@pytest.mark.parametrize(
    ("state", "needs", "words"),
    [
        (
            BudgetState(limit="session_tokens", allowed=999, spent=10),
            1_000,
            "for this session does not allow another call of the model: 10 of 999 tokens are spent, and the call"
            " takes about 1000 tokens or more. Raise budget.session_tokens",
        ),
        (
            BudgetState(limit="day_usd", allowed=2.5, spent=1.25),
            1.5,
            "for today does not allow another call of the model: 1.25 of 2.5 USD are spent, and the call"
            " takes about 1.5 USD or more. Raise budget.day_usd",
        ),
        (
            BudgetState(limit="session_usd", allowed=1, spent=0.0),
            0.0000012,
            "for this session does not allow another call of the model: 0 of 1 USD are spent, and the call"
            " takes about 0.000001 USD or more. Raise budget.session_usd",
        ),
    ],
)
def test_a_refusal_says_what_is_spent_allowed_and_needed(state: BudgetState, needs: Any, words: str) -> None:
    refusal = BudgetSpent(state, needs)
    assert str(refusal) == f"The budget {words} in opencode.json to go on."
    assert refusal.data == BudgetExceededErrorData(
        message=str(refusal), limit=state.limit, allowed=state.allowed, spent=state.spent
    )


async def test_amounts_are_added_up_exactly_by_session_and_day(place: LoopWorld) -> None:
    other = SessionID("ses_gone")
    await place.store.commit(*[AddSpending(ID, DAY, 0.1, 10)] * 3, AddSpending(ID, "2026-01-01", 1, 5))
    await place.store.commit(AddSpending(other, DAY, 2, 1))
    spent = place.store.spending(ID, DAY)
    assert (spent.session_usd, spent.session_tokens, spent.day_usd) == (1.3, 35, 2.3)


async def test_the_first_call_of_a_day_forgets_earlier_days_of_sessions_that_are_gone(place: LoopWorld) -> None:
    gone = SessionID("ses_gone")
    await place.store.commit(AddSpending(gone, "2026-01-01", 1, 1), AddSpending(ID, "2026-01-01", 1, 1))
    await place.store.commit(AddSpending(ID, DAY, 1, 1))
    assert place.store.spending(gone, DAY).session_tokens == 0
    assert place.store.spending(ID, "2026-01-01").day_usd == 1
    assert place.store.spending(ID, DAY).session_usd == 2


async def test_every_token_counts_and_a_call_that_used_nothing_is_not_stored(place: LoopWorld) -> None:
    budgets = Budgets(place.store, place.clock, BudgetLimits(session_tokens=5))
    tokens = Tokens(input=1, output=2, reasoning=4, cache=CacheTokens(read=8, write=16))
    [change] = budgets.spent(ID, tokens, 0)
    assert (change.tokens, change.usd) == (31, 0)
    assert budgets.spent(ID, Tokens(), 0) == []
    [change] = budgets.usage(ID, Usage(input=1_000_000), priced(input=3))
    assert (change.tokens, change.usd) == (1_000_000, 3)
    await place.store.commit(change)
    assert budgets.states(ID) == [BudgetState(limit="session_tokens", allowed=5, spent=1_000_000)]
