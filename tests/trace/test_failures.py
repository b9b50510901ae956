"""Providers that fail: which failures end a message, which are tried again, what is kept."""

import anyio

from tests.support.scripted_model.script import Call, Cut, Fail, StreamError, Text, Wait, turn
from tests.trace.scenario import scenario
from tests.trace.world import World, tool_state

ONCE = Call("bash", {"command": "echo ran >> runs", "description": "Once"})
SOON = {"retry-after-ms": "20"}


async def twice(world: World) -> None:
    """A prompt into trouble, and one after it."""
    session = await world.session()
    await world.prompt(session, "Try")
    await world.get("/session/status")
    await world.prompt(session, "Again")


@scenario(turn(Fail(401, "bad key", code="invalid_api_key")), "Fine.")
async def test_a_refused_key_ends_the_message(world: World) -> None:
    await twice(world)


@scenario(turn(Fail(400, body={"detail": "odd body"})), "Fine.")
async def test_a_refused_request_ends_the_message_with_the_body_of_the_answer(world: World) -> None:
    await twice(world)


@scenario(turn(Fail(403, body="<html>Forbidden</html>")), "Fine.")
async def test_a_page_instead_of_an_answer_ends_the_message(world: World) -> None:
    await twice(world)


@scenario(turn(Fail(429, "slow down", {"retry-after": "0.02"})), "Recovered.")
async def test_a_limit_is_waited_out_as_long_as_the_provider_says(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn(Fail(429, "slow down", SOON)), turn(Fail(429, "still slow", SOON)), "Recovered.")
async def test_every_further_try_is_counted(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn(Fail(500, "boom")), "Recovered.")
async def test_a_failing_server_is_asked_again(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn(Fail(503, "Overloaded", SOON)), "Recovered.")
async def test_an_overloaded_server_is_asked_again(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn("Half an ans", Cut()), "The whole answer.")
async def test_a_broken_answer_is_taken_back_and_asked_for_again(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn("Half an ans", Cut(clean=True)), "The whole answer.")
async def test_an_answer_without_an_end_is_asked_for_again(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn("Calling. ", Call("read", raw='{"file'), Cut()), "Recovered.")
async def test_a_call_that_breaks_off_is_not_run(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(config={"provider": {"scripted": {"npm": "@ai-sdk/anthropic"}}})
async def test_an_answer_whose_tool_has_run_is_not_asked_for_again(world: World) -> None:
    gate = anyio.Event()
    world.model.push(turn(ONCE, "and then", Wait(gate), Cut()), "Not asked for.")
    prompt = world.prompting(await world.session(), "Try")
    await world.until(lambda event: tool_state(event).get("status") == "completed")
    gate.set()
    await prompt.answered.wait()
    assert (world.directory / "runs").read_text() == "ran\n"


@scenario(turn("Half ", StreamError("backend exploded")), "Recovered.")
async def test_an_error_inside_the_stream_is_a_failure(world: World) -> None:
    await world.prompt(await world.session(), "Try")


@scenario(turn(), "Fine.")
async def test_an_empty_answer_is_an_answer(world: World) -> None:
    await twice(world)


@scenario(turn(Text("Too long to "), finish="length"), "Fine.")
async def test_an_answer_cut_by_its_limit_is_kept(world: World) -> None:
    await twice(world)


@scenario(turn(Text("Not to be said"), finish="content_filter"), "Fine.")
async def test_an_answer_stopped_by_a_filter_is_kept(world: World) -> None:
    await twice(world)


DEAD = {
    "npm": "@ai-sdk/openai-compatible",
    "options": {"baseURL": "http://127.0.0.1:9/v1", "apiKey": "k"},
    "models": {"d1": {"name": "D1", "limit": {"context": 1000, "output": 100}}},
}


@scenario(config={"provider": {"dead": DEAD}})
async def test_an_unreachable_provider_is_given_up_after_some_tries(world: World) -> None:
    await world.prompt(await world.session(), "Try", model={"providerID": "dead", "modelID": "d1"})
