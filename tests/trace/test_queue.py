"""Prompts that come while a session works."""

import anyio

from tests.support.scripted_model.script import Call, Wait, turn
from tests.trace.scenario import scenario
from tests.trace.world import World, is_delta, said


@scenario()
async def test_prompts_that_come_during_an_answer_are_answered_after_it(world: World) -> None:
    """All callers get the last answer: each prompt is answered, none twice."""
    gate = anyio.Event()
    world.model.push(turn("The first begins, ", Wait(gate), "and ends."), "To the others.", "Not needed.")
    session = await world.session()
    first = world.prompting(session, "First")
    await world.until(is_delta)
    second = world.prompting(session, "Second")
    await world.stored_prompts(session, 2)
    await world.send("POST", f"/session/{session}/prompt_async", said("Third"))
    await world.get("/session/status")
    await world.send("POST", f"/session/{session}/shell", {"agent": "build", "command": "echo busy"})
    gate.set()
    await first.answered.wait()
    await second.answered.wait()


@scenario(
    turn(Call("bash", {"command": "until [ -e go ]; do sleep 0.02; done", "description": "Waits"})),
    "I saw both.",
    "Not needed.",
)
async def test_a_prompt_that_comes_during_a_tool_joins_the_next_request(world: World) -> None:
    session = await world.session()
    first = world.prompting(session, "Run slowly")
    await world.tool_runs()
    second = world.prompting(session, "And this")
    await world.stored_prompts(session, 2)
    (world.directory / "go").touch()
    await first.answered.wait()
    await second.answered.wait()


@scenario()
async def test_a_prompt_that_nobody_can_answer_fails_alone_and_the_next_one_goes_on(world: World) -> None:
    """Who was answered before gets the answer. Not so officially: there all who wait for the run get the failure."""
    gate = anyio.Event()
    world.model.push(turn("Begins ", Wait(gate), "and ends."), "To the third.")
    session = await world.session()
    first = world.prompting(session, "First")
    await world.until(is_delta)
    second = world.prompting(session, "Second", model={"providerID": "nowhere", "modelID": "nothing"})
    await world.stored_prompts(session, 2)
    gate.set()
    await first.answered.wait()
    await second.answered.wait()
    await world.prompt(session, "Third", model={"providerID": "scripted", "modelID": "m1"})
