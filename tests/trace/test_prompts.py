"""Prompts: how they are admitted, streamed and stored."""

from tests.support.scripted_model.script import Fail, Reasoning, Text, Tokens, turn
from tests.trace.scenario import scenario
from tests.trace.world import World

MISSING = "ses_000000000000AAAAAAAAAAAAAA"


@scenario(
    turn(
        Reasoning("A greeting is due.", chunks=2),
        Text("Good day to you.", chunks=3),
        tokens=Tokens(input=120, output=30, cached=20, reasoning=12),
    ),
    shows=["tools"],
)
async def test_a_prompt_tells_its_thoughts_and_words_as_they_come(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "Greet me")


@scenario(turn(Reasoning("Hm."), Text("Later is fine.", chunks=2)))
async def test_an_asynchronous_prompt_is_accepted_at_once_and_answered_by_events(world: World) -> None:
    session = await world.session()
    await world.send("POST", f"/session/{session}/prompt_async", {"parts": [{"type": "text", "text": "Whenever"}]})


@scenario()
async def test_a_note_is_stored_and_the_model_is_not_called(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "For later", noReply=True)
    elsewhere = {"providerID": "nowhere", "modelID": "nothing"}
    await world.prompt(session, "With a model nobody has", noReply=True, model=elsewhere)
    body = {"parts": [{"type": "text", "text": "Asynchronously"}], "noReply": True}
    await world.send("POST", f"/session/{session}/prompt_async", body)


@scenario("Yours is kept.")
async def test_the_ids_a_client_chose_are_kept_and_a_repeated_prompt_is_not_stored_twice(world: World) -> None:
    session = await world.session()
    part = {"id": "prt_mine", "type": "text", "text": "Keep my ids", "metadata": {"mine": 1}}
    body = {"messageID": "msg_mine", "parts": [part]}
    await world.send("POST", f"/session/{session}/message", body)
    await world.send("POST", f"/session/{session}/message", body)
    await world.prompt(session, "wrong id", messageID="wrong")


@scenario("One.", "Two.", "Three.", "Four.")
async def test_only_parts_with_words_for_the_model_reach_it(world: World) -> None:
    """Synthetic parts are sent, ignored ones are not; a note is part of what the next prompt sends."""
    session = await world.session()
    hidden = {"type": "text", "text": "from a program", "synthetic": True}
    unsent = {"type": "text", "text": "for people only", "ignored": True}
    parts = [{"type": "text", "text": "from a person"}, hidden, unsent]
    await world.send("POST", f"/session/{session}/message", {"parts": parts})
    await world.send("POST", f"/session/{session}/message", {"parts": []})
    await world.prompt(session, "")
    await world.prompt(session, "Note this", noReply=True)
    await world.prompt(session, "After the note")


@scenario("As planner.", "As builder.", "As pirate.", "Without hands.", "With variant.", shows=["tools"])
async def test_a_prompt_chooses_agent_model_variant_system_text_and_tools(world: World) -> None:
    session = await world.session()
    model = {"providerID": "scripted", "modelID": "m1"}
    await world.prompt(session, "as plan", agent="plan")
    await world.prompt(session, "as build", agent="build", model=model)
    await world.prompt(session, "system", system="You speak like a pirate.")
    await world.prompt(session, "tools off", tools={"bash": False, "write": False})
    await world.prompt(session, "variant", variant="high")


@scenario()
async def test_an_unknown_agent_or_model_is_an_error_answer_and_an_event(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "who?", agent="nobody")
    await world.prompt(session, "what?", model={"providerID": "scripted", "modelID": "nothing"})
    await world.prompt(session, "where?", model={"providerID": "nowhere", "modelID": "nothing"})


@scenario("An answer.")
async def test_a_session_without_a_title_gets_one_from_the_model(world: World) -> None:
    world.model.title = turn("\nNaming things\nignored")
    session = str((await world.send("POST", "/session", {}))["id"])
    await world.prompt(session, "What is hard in computing?")
    await world.until(lambda event: event["properties"].get("info", {}).get("title") == "Naming things")


@scenario("An answer.", "Another.")
async def test_a_title_that_fails_leaves_the_turn_alone(world: World) -> None:
    world.model.title = turn(Fail(401, "no titles today"))
    session = str((await world.send("POST", "/session", {}))["id"])
    await world.prompt(session, "Go on")


@scenario()
async def test_wrong_input_is_refused_with_the_place_of_the_fault(world: World) -> None:
    session = await world.session()
    text = [{"type": "text", "text": "x"}]
    for body in (
        None,
        {},
        {"parts": "text"},
        {"parts": [{"type": "text"}]},
        {"parts": [{"type": "odd", "text": "x"}]},
        {"parts": text, "noReply": "yes"},
        {"parts": text, "model": "scripted/m1"},
        {"parts": text, "tools": {"bash": "no"}},
    ):
        await world.send("POST", f"/session/{session}/message", body)
    for method, path, body in (
        ("POST", f"/session/{MISSING}/message", {"parts": text}),
        ("POST", f"/session/{MISSING}/prompt_async", {"parts": text}),
        ("POST", f"/session/{MISSING}/abort", None),
        ("POST", f"/session/{MISSING}/shell", {"agent": "build", "command": "true"}),
        ("POST", "/session/wrong/message", {"parts": text}),
        ("GET", f"/session/{MISSING}/message", None),
    ):
        await world.send(method, path, body)
