"""Abort: whatever runs stops, keeps what it has, and the session can be used again."""

from tests.support.scripted_model.script import Call, Fail, Sleep, turn
from tests.trace.scenario import scenario
from tests.trace.world import World, is_delta, is_retry

FOR_EVER = Sleep(60)


@scenario(turn("The first half, ", FOR_EVER, "the second."), "After the stop.")
async def test_a_stopped_answer_keeps_the_words_it_had(world: World) -> None:
    session = await world.session()
    await world.abort(session)
    prompt = world.prompting(session, "Talk")
    await world.until(is_delta)
    await world.get("/session/status")
    await world.abort(session)
    await prompt.answered.wait()
    await world.prompt(session, "Again")


@scenario(turn(Call("bash", {"command": "echo started; sleep 60; touch finished", "description": "Slow"})), "After.")
async def test_a_stopped_command_keeps_its_output_so_far(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run slowly")
    await world.shows_output("started\n")
    await world.abort(session)
    await prompt.answered.wait()
    await world.prompt(session, "What happened?")


@scenario(turn(Call("bash", {"command": "echo x", "description": "X"})), config={"permission": "ask"})
async def test_a_stopped_prompt_asks_no_more(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    await world.asked()
    await world.abort(session)
    await prompt.answered.wait()
    await world.get("/permission")


@scenario(turn(Call("question", {"questions": [{"question": "Who?", "header": "Who", "options": []}]})))
async def test_a_stopped_prompt_has_no_more_questions(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Ask me")
    await world.asked("question")
    await world.abort(session)
    await prompt.answered.wait()
    await world.get("/question")


@scenario(turn(Fail(429, "slow down", {"retry-after": "30"})), "Never said.")
async def test_a_pause_before_another_try_is_stopped(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Try")
    await world.until(is_retry)
    await world.get("/session/status")
    await world.abort(session)
    await prompt.answered.wait()


@scenario(turn("Before it went, ", FOR_EVER))
async def test_a_deleted_session_stops_first(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Talk")
    await world.until(is_delta)
    await world.send("DELETE", f"/session/{session}")
    await prompt.answered.wait()
