"""What may be spent on models, and the calls that would pass it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_model.script import Tokens, Turn, turn
from tests.trace.world import World, open_world
from tests.wire.delegating import begins, delegates

Json = dict[str, Any]
COST = {"input": 10, "output": 100, "cache_read": 1, "cache_write": 12.5}
PRICED: Json = {"provider": {"scripted": {"models": {"m1": {"cost": COST}}}}}
DEAR = turn("Said.", tokens=Tokens(input=1_000, output=900))
"""An answer for 0.1 USD."""
LONG = turn("Said.", tokens=Tokens(input=49_000, output=1_000))


def config(**budget: float) -> Json:
    return {**PRICED, "budget": budget}


def told(world: World, kind: str) -> list[Json]:
    return [event["properties"] for event in world.events if event["type"] == kind]


@pytest.mark.parametrize(
    ("limit", "allowed", "answered", "spent"),
    [
        ("session_usd", 0.15, DEAR, 0.1),
        ("day_usd", 0.1, DEAR, 0.1),
        ("session_tokens", 51_000, LONG, 50_000),
    ],
)
async def test_the_call_that_would_pass_a_limit_is_not_made(
    tmp_path: Path, limit: str, allowed: float, answered: Turn, spent: float
) -> None:
    long = "word " * 40_000 if limit == "session_usd" else "Again"
    async with open_world(tmp_path, config(**{limit: allowed}), {}, {}) as world:
        world.model.push(answered)
        session = await world.session()
        assert "error" not in (await world.prompt(session, "Hello"))["info"]
        answer = await world.prompt(session, long)
        error = answer["info"]["error"]
        assert error["name"] == "BudgetExceededError"
        stopped = {"limit": limit, "allowed": allowed, "spent": spent}
        assert {key: error["data"][key] for key in stopped} == stopped
        assert f"budget.{limit}" in error["data"]["message"]
        assert len(world.model.turns) == 1
        assert told(world, "budget.exceeded") == [{"sessionID": session, **stopped}]
        assert [event["error"]["name"] for event in told(world, "session.error")] == ["BudgetExceededError"]
        why = await world.get(f"/session/{session}/why")
        assert (why["status"], why["budgets"]) == ({"type": "idle"}, [stopped])


async def test_what_subagents_spend_counts_for_the_session_at_the_root(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(session_usd=0.1), {}, {}) as world:
        world.model.push(delegates("Look here"))
        world.model.push_for(begins("Look here"), DEAR)
        session = await world.session()
        answer = await world.prompt(session, "Begin")
        assert answer["info"]["error"]["data"]["spent"] == pytest.approx(0.102)
        [child] = await world.get(f"/session/{session}/children")
        assert child["cost"] == 0.1
        budgets = [(await world.get(f"/session/{id}/why"))["budgets"] for id in (session, child["id"])]
        assert budgets[0] == budgets[1]
        other = await world.session()
        assert "error" not in (await world.prompt(other, "Another session has its own"))["info"]


async def test_what_was_spent_before_a_restart_and_without_limits_counts(tmp_path: Path) -> None:
    async with open_world(tmp_path, PRICED, {}, {}) as world:
        world.model.push(DEAR)
        session = await world.session()
        await world.prompt(session, "Hello")
        assert "budgets" not in await world.get(f"/session/{session}/why")
    async with open_world(tmp_path, config(session_usd=0.05), {}, {}) as world:
        answer = await world.prompt(session, "Again")
        assert answer["info"]["error"]["data"]["spent"] == 0.1
        assert world.model.turns == []


async def test_a_deleted_session_leaves_the_sum_of_the_day(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(day_usd=5), {}, {}) as world:
        world.model.push(DEAR)
        session = await world.session()
        await world.prompt(session, "Hello")
        await world.send("DELETE", f"/session/{session}")
        why = await world.get(f"/session/{await world.session()}/why")
        assert why["budgets"] == [{"limit": "day_usd", "allowed": 5, "spent": 0.1}]


async def test_a_title_costs_too(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(day_usd=5), {}, {}) as world:
        world.model.title = DEAR
        session = str((await world.send("POST", "/session", {}))["id"])
        await world.prompt(session, "Hello")
        await world.until(lambda event: event["type"] == "session.updated" and titled(event))
        why = await world.get(f"/session/{session}/why")
        assert why["budgets"][0]["spent"] == pytest.approx(0.102)


def titled(event: Json) -> bool:
    return str(event["properties"]["info"]["title"]) == "Said."
