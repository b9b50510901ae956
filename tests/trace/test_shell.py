"""Commands that a person runs in a session."""

from tests.support.scripted_model.script import turn
from tests.trace.scenario import scenario
from tests.trace.world import World, said


def command(line: str, **more: object) -> dict[str, object]:
    return {"agent": "build", "command": line, **more}


@scenario("I saw it.")
async def test_a_command_becomes_a_message_that_the_next_prompt_sends(world: World) -> None:
    session = await world.session()
    path = f"/session/{session}/shell"
    await world.send("POST", path, command("echo out; echo err >&2"))
    await world.send("POST", path, command("exit 4", model={"providerID": "scripted", "modelID": "m1"}))
    await world.send("POST", path, {"agent": "nobody", "command": "true"})
    await world.send("POST", path, {"command": "true"})
    await world.prompt(session, "What happened?")


@scenario()
async def test_a_command_keeps_the_session_busy_until_it_is_stopped(world: World) -> None:
    session = await world.session()
    path = f"/session/{session}/shell"
    first = world.start("POST", path, command("echo begin; sleep 60; touch finished"))
    await world.shows_output("begin\n")
    await world.get("/session/status")
    await world.send("POST", path, command("echo second"))
    await world.abort(session)
    await first.answered.wait()


@scenario(turn("I waited."))
async def test_a_prompt_waits_for_the_command_before_it(world: World) -> None:
    session = await world.session()
    first = world.start("POST", f"/session/{session}/shell", command("until [ -e go ]; do sleep 0.02; done; echo went"))
    await world.tool_runs()
    second = world.start("POST", f"/session/{session}/message", said("After the command"))
    await world.stored_prompts(session, 2)
    (world.directory / "go").touch()
    await first.answered.wait()
    await second.answered.wait()
