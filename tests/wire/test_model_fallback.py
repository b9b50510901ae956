"""Another model goes on where one cannot be reached."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_model.script import Call, Cut, Fail, Turn, turn
from tests.support.scripted_model.server import RecordedRequest
from tests.trace.world import World, open_world

Json = dict[str, Any]
MODELS = {
    name: {"name": name, "tool_call": True, "limit": {"context": 100_000, "output": 8_000}} for name in ("m2", "m3")
}
CONFIG: Json = {
    "provider": {
        "scripted": {"models": MODELS},
        "closed": {
            "npm": "@ai-sdk/anthropic",
            "options": {"baseURL": "@MODEL@", "apiKey": "k"},
            "models": {"c1": MODELS["m2"]},
        },
    }
}
ONE_BY_ONE = {**CONFIG["provider"], "scripted": {"npm": "@ai-sdk/anthropic", "models": MODELS}}
"""Over a wire that hands out a call before the answer ends."""
CHAIN = ["scripted/m2", "scripted/m3"]
BUSY = Fail(503, "Overloaded", {"retry-after-ms": "1"})
NO_MONEY = Fail(429, "You exceeded your current quota", code="insufficient_quota")
GONE = Fail(404, "The model `m1` does not exist")


def asks(model: str) -> Any:
    """Accepts the requests to one model."""

    def accepts(request: RecordedRequest) -> bool:
        return request.body.get("model") == model and not request.is_title

    return accepts


def says(info: Json) -> str:
    return f"{info['providerID']}/{info['modelID']}"


def asked(world: World) -> list[str]:
    return [request.body["model"] for request in world.model.turns]


def told(world: World, kind: str) -> list[Json]:
    return [event["properties"] for event in world.events if event["type"] == kind]


def kinds(answer: Json) -> list[str]:
    return [part["type"] for part in answer["parts"]]


def config(chain: Any = CHAIN, **more: Any) -> Json:
    return {**CONFIG, "model_fallback": chain, **more}


@pytest.mark.parametrize(
    "failure", [Fail(401, "bad key"), Fail(402, "pay first"), Fail(403, "not for you"), GONE, NO_MONEY], ids=str
)
async def test_what_no_retry_heals_is_given_to_the_next_model_at_once(tmp_path: Path, failure: Fail) -> None:
    async with open_world(tmp_path, config(), {}, {}) as world:
        world.model.push_for(asks("m1"), turn(failure))
        world.model.push_for(asks("m2"), turn("Here I am."))
        session = await world.session()
        answer = await world.prompt(session, "Hello")
        assert asked(world) == ["m1", "m2"]
        assert says(answer["info"]) == "scripted/m2"
        assert "error" not in answer["info"]
        assert kinds(answer) == ["retry", "step-start", "text", "step-finish"]
        note = answer["parts"][0]["error"]["data"]
        assert (note["metadata"]["failed"], note["metadata"]["fallback"]) == ("scripted/m1", "scripted/m2")
        [switched] = told(world, "session.model.switched")
        assert switched["failed"] == {"providerID": "scripted", "modelID": "m1"}
        assert switched["model"] == {"providerID": "scripted", "modelID": "m2"}
        assert switched["error"]["data"]["message"] == note["message"] != ""
        [waited] = [event["status"] for event in told(world, "session.status") if event["status"]["type"] == "retry"]
        assert "scripted/m1" in waited["message"] and "scripted/m2" in waited["message"]
        assert told(world, "session.error") == []


async def test_a_failure_that_may_pass_is_given_to_the_next_model_when_the_tries_are_used_up(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(retry={"attempts": 2}), {}, {}) as world:
        world.model.push_for(asks("m1"), turn(BUSY), turn(BUSY), turn(BUSY))
        answer = await world.prompt(await world.session(), "Hello")
        assert asked(world) == ["m1", "m1", "m1", "m2"]
        assert says(answer["info"]) == "scripted/m2"


async def test_the_chain_goes_on_and_ends_with_the_error_of_its_last_model(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(), {}, {}) as world:
        for model in ("m1", "m2", "m3"):
            world.model.push_for(asks(model), turn(Fail(401, f"no key for {model}")))
        answer = await world.prompt(await world.session(), "Hello")
        assert asked(world) == ["m1", "m2", "m3"]
        assert says(answer["info"]) == "scripted/m3"
        assert answer["info"]["error"]["data"]["message"] == "no key for m3"
        assert kinds(answer) == ["retry", "retry"]
        assert len(told(world, "session.error")) == 1


async def test_the_whole_turn_stays_with_the_model_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(), {}, {}) as world:
        world.model.push_for(asks("m1"), turn(GONE), turn("Back again."))
        world.model.push_for(asks("m2"), turn(Call("glob", {"pattern": "*.txt"})), turn("Found."))
        session = await world.session()
        answer = await world.prompt(session, "Find")
        assert asked(world) == ["m1", "m2", "m2"]
        assert says(answer["info"]) == "scripted/m2"
        assert kinds(answer) == ["step-start", "text", "step-finish"]
        answer = await world.prompt(session, "Again")
        assert (says(answer["info"]), asked(world)[-1]) == ("scripted/m1", "m1")


async def test_a_model_of_another_provider_and_wire_goes_on_with_the_same_message(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(["closed/c1"]), {}, {}) as world:
        world.model.push_for(asks("m1"), turn("Half", Cut()), turn(GONE))
        world.model.push_for(asks("c1"), turn("Whole."))
        answer = await world.prompt(await world.session(), "Hello")
        assert [request.path for request in world.model.turns][-1].endswith("/messages")
        texts = [part["text"] for part in answer["parts"] if part["type"] == "text"]
        assert (says(answer["info"]), texts) == ("closed/c1", ["Whole."])


@pytest.mark.parametrize(
    "refused",
    [
        turn(Fail(400, "tools: bad schema")),
        turn("x", finish="content_filter"),
        turn(Call("glob", {"pattern": "*"}), Cut()),
    ],
    ids=["a request at fault", "a filter", "a tool has run"],
)
async def test_what_another_model_would_meet_too_or_a_tool_that_ran_is_no_reason(tmp_path: Path, refused: Turn) -> None:
    async with open_world(tmp_path, config(provider=ONE_BY_ONE), {}, {}) as world:
        world.model.push(refused)
        answer = await world.prompt(await world.session(), "Hello")
        assert len(world.model.turns) == 1
        assert says(answer["info"]) == "scripted/m1"
        assert "error" in answer["info"]
        assert told(world, "session.model.switched") == []


async def test_a_model_that_does_not_exist_is_passed_over(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(["nobody/m", "scripted/m9", "scripted/m2"]), {}, {}) as world:
        world.model.push(turn(GONE), "Here.")
        answer = await world.prompt(await world.session(), "Hello")
        assert says(answer["info"]) == "scripted/m2"


@pytest.mark.parametrize(
    ("chains", "used"),
    [
        ({"scripted/m1": ["scripted/m3"], "*": ["scripted/m2"]}, ["m1", "m3"]),
        ({"scripted/m3": ["scripted/m1"], "*": ["scripted/m2"]}, ["m1", "m2"]),
        ({"scripted/m3": ["scripted/m2"]}, ["m1"]),
        (["scripted/m1", "scripted/m3"], ["m1", "m3"]),
    ],
)
async def test_each_model_may_have_a_chain_of_its_own(tmp_path: Path, chains: Any, used: list[str]) -> None:
    async with open_world(tmp_path, config(chains), {}, {}) as world:
        world.model.push(turn(GONE), "Here.")
        await world.prompt(await world.session(), "Hello")
        assert asked(world) == used


async def test_a_name_that_is_no_model_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    async with open_world(tmp_path, {}, {}, {}) as world:
        answer = await world.send("PATCH", "/config", {"model_fallback": ["gpt-5"]})
        assert "provider/model" in str(answer)
        assert world.exchanges[-1].status == 400


async def test_a_summary_is_made_by_the_next_model_too(tmp_path: Path) -> None:
    async with open_world(tmp_path, config(), {}, {}) as world:
        session = await world.session()
        await world.prompt(session, "Hello")
        world.model.push_for(asks("m1"), turn(GONE))
        world.model.push_for(asks("m2"), turn("A summary."))
        body = {"providerID": "scripted", "modelID": "m1"}
        assert await world.send("POST", f"/session/{session}/summarize", body) is True
        [summary] = [
            message
            for message in await world.get(f"/session/{session}/message")
            if message["info"].get("summary") is True
        ]
        assert says(summary["info"]) == "scripted/m2"
