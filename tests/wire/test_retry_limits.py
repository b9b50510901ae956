"""What a turn may lose on failing calls, and what it keeps."""

from pathlib import Path
from typing import Any

from tests.support.scripted_model.script import Call, Cut, Fail, turn
from tests.trace.world import World, is_retry, open_world

Json = dict[str, Any]
SOON = {"retry-after-ms": "1"}
BUSY = turn(Fail(503, "Overloaded", SOON))


def texts(message: Json) -> list[str]:
    return [part["text"] for part in message["parts"] if part["type"] == "text"]


async def newest(world: World, session: str) -> Json:
    messages: list[Json] = await world.get(f"/session/{session}/message")
    return messages[-1]


async def test_a_longer_wait_than_a_turn_may_take_is_not_begun_and_the_error_says_so(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"retry": {"turn_seconds": 60}}, {}, {}) as world:
        world.model.push(turn(Fail(429, "slow down", {"retry-after": "61"})))
        answer = await world.prompt(await world.session(), "Try")
        data = answer["info"]["error"]["data"]
        assert (data["message"], data["statusCode"], data["isRetryable"]) == ("slow down", 429, True)
        assert "61 s until the next try" in data["metadata"]["retry"]
        assert "retry.turn_seconds" in data["metadata"]["retry"]
        assert not [event for event in world.events if is_retry(event)]


async def test_the_tries_of_all_steps_count_together_and_the_next_turn_has_its_own(tmp_path: Path) -> None:
    limits = {"attempts": 5, "turn_attempts": 2}
    async with open_world(tmp_path, {"retry": limits}, {}, {}) as world:
        world.model.push(BUSY, turn(Call("glob", {"pattern": "*.txt"})), BUSY, BUSY)
        session = await world.session()
        answer = await world.prompt(session, "Try")
        assert "retry.turn_attempts" in answer["info"]["error"]["data"]["metadata"]["retry"]
        assert len(world.model.turns) == 4
        world.model.push(BUSY, BUSY, "Here.")
        assert texts(await world.prompt(session, "Again")) == ["Here."]


async def test_no_retries_are_made_where_none_are_wanted(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"retry": {"attempts": 0}}, {}, {}) as world:
        world.model.push(BUSY)
        answer = await world.prompt(await world.session(), "Try")
        assert answer["info"]["error"]["data"]["statusCode"] == 503
        assert len(world.model.turns) == 1


async def test_what_was_said_can_be_read_during_the_wait_and_after_an_abort(tmp_path: Path) -> None:
    async with open_world(tmp_path, {}, {}, {}) as world:
        world.model.push(turn("Half an answer", Cut()), turn(Fail(503, "Overloaded", {"retry-after": "600"})))
        session = await world.session()
        prompt = world.prompting(session, "Try")
        await world.until(is_retry, count=2)
        assert texts(await newest(world, session)) == ["Half an answer"]
        await world.abort(session)
        await prompt.answered.wait()
        answer = await newest(world, session)
        assert answer["info"]["error"]["name"] == "MessageAbortedError"
        assert texts(answer) == ["Half an answer"]
        assert all("end" in part["time"] for part in answer["parts"] if part["type"] == "text")
