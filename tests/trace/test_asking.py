"""Permissions and questions: a prompt that waits for a person."""

from tests.support.scripted_model.script import Call, turn
from tests.trace.scenario import scenario
from tests.trace.world import World

ASK = {"permission": {"bash": "ask", "edit": "ask"}}
ECHO = Call("bash", {"command": "echo one", "description": "One"}, id="call_1")
LIST = Call("bash", {"command": "ls src", "description": "List"}, id="call_2")


@scenario(turn(ECHO), "Done.", config=ASK)
async def test_a_call_runs_when_it_is_allowed_once(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    request = await world.asked()
    await world.get("/permission")
    await world.get("/session/status")
    await world.reply(request, "once")
    await prompt.answered.wait()
    await world.get("/permission")


@scenario(
    turn(Call("bash", {"command": "echo one two", "description": "One"}, id="call_1")),
    turn(Call("bash", {"command": "echo three", "description": "Three"}, id="call_2")),
    turn(Call("bash", {"command": "ls src", "description": "List"}, id="call_3")),
    "Done.",
    config=ASK,
)
async def test_what_is_allowed_always_is_not_asked_again(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run them")
    await world.reply(await world.asked(), "always")
    await world.reply(await world.asked(count=2), "once")
    await prompt.answered.wait()


@scenario(turn(ECHO), "Something else, then.", config=ASK)
async def test_a_refusal_ends_the_turn_and_the_next_prompt_goes_on(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    await world.reply(await world.asked(), "reject")
    await prompt.answered.wait()
    await world.prompt(session, "And now?")


@scenario(turn(ECHO), "I will list instead.", config=ASK)
async def test_a_refusal_with_words_is_told_to_the_model_which_goes_on(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    await world.reply(await world.asked(), "reject", "Use ls instead")
    await prompt.answered.wait()


@scenario(turn(ECHO), "Done.", config=ASK)
async def test_the_older_route_allows(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    path = f"/session/{session}/permissions/{await world.asked()}"
    await world.send("POST", path, {"response": "once"})
    await prompt.answered.wait()


@scenario(turn(ECHO), config=ASK)
async def test_the_older_route_refuses(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run")
    path = f"/session/{session}/permissions/{await world.asked()}"
    await world.send("POST", path, {"response": "reject"})
    await prompt.answered.wait()


@scenario(
    turn(Call("write", {"filePath": "n.txt", "content": "n\n"}, id="call_1")),
    turn(Call("edit", {"filePath": "n.txt", "oldString": "n", "newString": "m"}, id="call_2")),
    "Done.",
    config=ASK,
)
async def test_the_ask_for_a_change_of_files_shows_the_change(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Write")
    await world.reply(await world.asked(), "always")
    await prompt.answered.wait()


@scenario(turn(ECHO, LIST), config=ASK)
async def test_refusing_one_of_two_asks_refuses_both(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Run both")
    first = await world.asked()
    await world.asked(count=2)
    await world.get("/permission")
    await world.reply(first, "reject")
    await prompt.answered.wait()
    await world.get("/permission")


@scenario(
    turn(Call("bash", {"command": "rm -f a.txt", "description": "Remove"}, id="call_1")),
    turn(Call("webfetch", {"url": "@MODEL@/none", "format": "text"}, id="call_2")),
    turn(Call("write", {"filePath": "a.txt", "content": "x"}, id="call_3")),
    "Done.",
    config={"permission": {"bash": {"*": "allow", "rm *": "deny"}, "webfetch": "deny", "edit": {"*.txt": "deny"}}},
    shows=["tools"],
)
async def test_what_rules_deny_is_told_to_the_model_and_not_offered(world: World) -> None:
    await world.prompt(await world.session(), "Try")
    assert (world.directory / "a.txt").exists()


@scenario(turn(ECHO), "Done.")
async def test_a_session_brings_its_own_rules_and_an_ask_is_answered_once(world: World) -> None:
    session = await world.session(permission=[{"permission": "bash", "pattern": "*", "action": "ask"}])
    prompt = world.prompting(session, "Run")
    request = await world.asked()
    await world.reply("per_000000000000AAAAAAAAAAAAAA", "once")
    await world.reply(request, "maybe")
    await world.reply(request, "once")
    await world.reply(request, "once")
    await prompt.answered.wait()


QUESTIONS = {
    "questions": [
        {
            "question": "Which colour?",
            "header": "Colour",
            "options": [{"label": "Red", "description": "Warm"}, {"label": "Blue", "description": "Cold"}],
        },
        {
            "question": "Which sizes?",
            "header": "Sizes",
            "multiple": True,
            "options": [{"label": "S", "description": "Small"}, {"label": "L", "description": "Large"}],
        },
    ]
}


@scenario(turn(Call("question", QUESTIONS, id="call_1")), "Red, in both sizes.")
async def test_questions_are_answered(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Ask me")
    request = await world.asked("question")
    await world.get("/question")
    await world.send("POST", f"/question/{request}/reply", {"answers": "Red"})
    await world.send("POST", f"/question/{request}/reply", {"answers": [["Red"], ["S", "L"]]})
    await prompt.answered.wait()
    await world.send("POST", f"/question/{request}/reply", {"answers": [["Red"], []]})


@scenario(turn(Call("question", QUESTIONS, id="call_1")), "Never said.")
async def test_questions_that_are_dismissed_end_the_turn(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Ask me")
    request = await world.asked("question")
    await world.send("POST", f"/question/{request}/reject")
    await prompt.answered.wait()
    await world.send("POST", f"/question/{request}/reject")
