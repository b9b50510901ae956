"""What the model is told besides the conversation."""

from tests.support.scripted_model.script import Call, turn
from tests.trace.scenario import scenario
from tests.trace.world import World


@scenario("Understood.", files={"AGENTS.md": "Speak like a sailor.\n"})
async def test_the_instructions_of_a_project_are_in_the_system_text(world: World) -> None:
    await world.prompt(await world.session(), "Hello")
    (request,) = world.model.turns
    assert f"Instructions from: {world.directory}/AGENTS.md\nSpeak like a sailor." in request.system_text
    assert str(world.directory) in request.system_text


@scenario("A plan.", "Another plan.", "Built.", "Built more.")
async def test_the_planner_is_reminded_and_so_is_the_builder_after_it(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "Plan it", agent="plan")
    await world.prompt(session, "Plan more", agent="plan")
    await world.prompt(session, "Build it", agent="build")
    await world.prompt(session, "Build more", agent="build")


@scenario(
    turn(Call("read", {"filePath": "a.txt"}, id="call_1")),
    turn(Call("read", {"filePath": "src/main.py"}, id="call_2")),
    "A summary.",
    config={"agent": {"build": {"steps": 2}}},
)
async def test_an_agent_out_of_steps_is_told_to_end_in_words(world: World) -> None:
    await world.prompt(await world.session(), "Read everything")


@scenario(turn(Call("bash", {"command": "echo hi", "description": "Hi"}, id="call_1")), "Done.", "Warmly.")
async def test_agents_of_the_configuration_answer_in_their_own_way(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "Use a tool")
    await world.prompt(session, "And without", tools={"bash": False})
