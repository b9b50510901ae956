"""Answers of a shape that the caller chose (golden trace ``structured_output``)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import AssistantMessage, MessageUpdated, SessionErrored
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.script import Call, Tokens, Wait, turn
from tests.support.scripted_model.server import RecordedRequest, scripted_model
from tests.wire.delegating import Script, scripted

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["city", "count"],
}
FORMAT = {"type": "json_schema", "schema": SCHEMA}
NOT_PRODUCED = "Model did not produce structured output"
MISFIT = (
    'The object does not fit the schema:\n- "count" is a required property\n- 5 is not of type "string"\n  at ["city"]'
)


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def gives(id: str = "call_1", **value: Any) -> Call:
    return Call("StructuredOutput", value, id=id)


async def test_the_object_is_stored_with_the_answer(script: Script) -> None:
    script.model.push(turn(gives(city="Oslo", count=3)), "never asked for")
    session = await script.session()
    answer = await script.prompt(session, "Structured please", format=FORMAT)
    assert (answer["info"]["structured"], answer["info"]["finish"]) == ({"city": "Oslo", "count": 3}, "tool-calls")
    assert "error" not in answer["info"]
    [state] = await script.calls(session)
    assert (state["status"], state["title"], state["metadata"]) == ("completed", "Structured Output", {"valid": True})
    assert state["output"] == "Structured output captured successfully."
    [question, stored] = await script.messages(session)
    assert question["info"]["format"] == {**FORMAT, "retryCount": 2}
    assert stored == answer
    told = [event.info for event in script.heard(MessageUpdated) if isinstance(event.info, AssistantMessage)][-1]
    assert told.structured == {"city": "Oslo", "count": 3}
    assert len(script.model.turns) == 1


async def test_the_model_must_call_a_tool_and_is_told_which(script: Script) -> None:
    script.model.push(turn(gives(city="Oslo", count=3)))
    await script.prompt(await script.session(), "Go", format={**FORMAT, "schema": {**SCHEMA, "$schema": DRAFT_7}})
    [request] = script.model.turns
    assert request.body["tool_choice"] == "required"
    names = [tool["function"]["name"] for tool in request.body["tools"]]
    assert names == sorted(names, key=str.casefold)
    [tool] = [tool["function"] for tool in request.body["tools"] if tool["function"]["name"] == "StructuredOutput"]
    assert tool["parameters"] == SCHEMA
    assert "`StructuredOutput`" in request.system_text


DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("npm", "forced"),
    [
        ("@ai-sdk/openai-compatible", "required"),
        ("@ai-sdk/openai", "required"),
        ("@ai-sdk/anthropic", {"type": "any"}),
    ],
)
async def test_every_wire_forces_the_call(
    client: httpx.AsyncClient, shared: Shared, project: Path, npm: str, forced: object
) -> None:
    async with scripted_model() as model:
        config = scripted_config(model.url)
        config["provider"]["scripted"]["npm"] = npm
        write_config(project, config)
        script = Script(client, model)
        model.push(turn(gives(city=5), gives("call_2", count=1)), turn(gives("call_3", city="Rome", count=1)))
        answer = await script.prompt(await script.session(), "Go", format=FORMAT)
        assert answer["info"]["structured"] == {"city": "Rome", "count": 1}
        assert [request.body["tool_choice"] for request in model.turns] == [forced, forced]
        await shared.registry.dispose(str(project))


async def test_other_tools_can_be_used_before(script: Script) -> None:
    script.model.push(turn(Call("read", {"filePath": "hello.txt"}, id="call_r")), turn(gives(city="Oslo", count=1)))
    answer = await script.prompt(await script.session(), "Go", format={**FORMAT, "retryCount": 0})
    assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}


async def test_agents_that_may_use_nothing_can_still_answer(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, agent={"mute": {"permission": {"*": "deny"}}}) as script:
        script.model.push(turn(gives(city="Oslo", count=1)))
        answer = await script.prompt(await script.session(), "Go", format=FORMAT, agent="mute")
        assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}
        assert [tool["function"]["name"] for tool in script.model.turns[0].body["tools"]] == ["StructuredOutput"]


async def test_an_agent_out_of_steps_can_only_answer(client: httpx.AsyncClient, shared: Shared, project: Path) -> None:
    async with scripted(client, shared, project, agent={"build": {"steps": 1}}) as script:
        script.model.push(turn(gives(city="Oslo", count=1)))
        await script.prompt(await script.session(), "Go", format=FORMAT)
        [request] = script.model.turns
        assert [tool["function"]["name"] for tool in request.body["tools"]] == ["StructuredOutput"]
        assert request.body["tool_choice"] == "required"


# --- trying again -------------------------------------------------------------------------------------------------


async def test_an_object_that_does_not_fit_goes_back_with_its_faults(script: Script) -> None:
    script.model.push(turn(gives(city=5)), turn(gives("call_2", city="Rome", count=1)))
    session = await script.session()
    answer = await script.prompt(session, "Go", format=FORMAT)
    assert answer["info"]["structured"] == {"city": "Rome", "count": 1}
    [refused, _] = await script.calls(session)
    assert (refused["status"], refused["error"]) == ("error", MISFIT)
    assert script.model.turns[1].body["messages"][-1]["content"] == MISFIT


async def test_words_are_followed_by_another_try(script: Script) -> None:
    script.model.push("It is Oslo.", turn(gives(city="Oslo", count=1)))
    session = await script.session()
    answer = await script.prompt(session, "Go", format=FORMAT)
    assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}
    [_, said, reminder] = [m for m in script.model.turns[1].body["messages"] if m["role"] != "system"]
    assert said["content"] == "It is Oslo."
    assert (reminder["role"], "`StructuredOutput`" in reminder["content"]) == ("user", True)
    assert len(await script.messages(session)) == 3


async def test_arguments_that_are_no_json_count_as_a_try(script: Script) -> None:
    unreadable = turn(Call("StructuredOutput", id="call_1", raw='{"city": "Os'))
    script.model.push(unreadable, turn(gives("call_2", city="Oslo", count=1)))
    session = await script.session()
    answer = await script.prompt(session, "Go", format={**FORMAT, "retryCount": 1})
    assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}
    script.model.push(unreadable, "never asked for")
    answer = await script.prompt(session, "Again", format={**FORMAT, "retryCount": 0})
    assert answer["info"]["error"] == error(NOT_PRODUCED, 0)


def error(message: str, retries: int) -> dict[str, Any]:
    return {"name": "StructuredOutputError", "data": {"message": message, "retries": retries}}


@pytest.mark.parametrize(("given", "retries"), [({}, 2), ({"retryCount": 0}, 0), ({"retryCount": 3}, 3)])
async def test_the_last_try_in_words_ends_with_an_error(script: Script, given: dict[str, int], retries: int) -> None:
    script.model.push(*["I refuse to use the tool."] * (retries + 1))
    session = await script.session()
    answer = await script.prompt(session, "Go", format={**FORMAT, **given})
    assert (answer["info"]["error"], answer["info"]["finish"]) == (error(NOT_PRODUCED, retries), "stop")
    assert len(script.model.turns) == retries + 1
    assert script.heard(SessionErrored) == []


async def test_the_last_misfit_ends_with_an_error_that_names_it(script: Script) -> None:
    script.model.push(turn(gives(city=5)), turn(gives("call_2", city=5)), "never asked for")
    session = await script.session()
    answer = await script.prompt(session, "Go", format={**FORMAT, "retryCount": 1})
    assert answer["info"]["error"] == error(f"{NOT_PRODUCED}: {MISFIT}", 1)
    assert "structured" not in answer["info"]


async def test_what_one_prompt_wants_does_not_hold_for_the_next(script: Script) -> None:
    script.model.push(turn(gives(city="Oslo", count=1)), "In words.")
    session = await script.session()
    await script.prompt(session, "Go", format=FORMAT)
    answer = await script.prompt(session, "And now?", format={"type": "text"})
    assert (answer["parts"][1]["text"], "structured" in answer["info"]) == ("In words.", False)
    assert script.model.turns[1].body["tool_choice"] == "auto"


# --- schemas ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"type": "objec"}, 'Expected "object": models answer with an object\n  at ["format"]["schema"]["type"]'),
        ({"type": "array"}, 'Expected "object": models answer with an object\n  at ["format"]["schema"]["type"]'),
        (
            {"properties": {"city": {"type": 5}}},
            '5 is not valid under any of the schemas listed in the \'anyOf\' keyword\n  at ["format"]["schema"]'
            '["properties"]["city"]["type"]',
        ),
        ({"required": "city"}, '"city" is not of type "array"\n  at ["format"]["schema"]["required"]'),
        (
            {"properties": {"a": {"pattern": "("}}},
            '"(" is not a "regex"\n  at ["format"]["schema"]["properties"]["a"]["pattern"]',
        ),
        ({"$ref": "#/nowhere"}, 'Pointer \'/nowhere\' does not exist\n  at ["format"]["schema"]'),
    ],
)
async def test_what_is_no_schema_is_refused_with_the_place_of_the_fault(
    script: Script, given: dict[str, Any], problem: str
) -> None:
    session = await script.session()
    refused = await script.post(
        session, "message", {"parts": [], "format": {"type": "json_schema", "schema": given}}, status=400
    )
    assert (refused["name"], refused["data"]) == ("BadRequest", {"message": problem, "kind": "Payload"})
    assert await script.messages(session) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/schema.json", "file:///etc/hostname"])
async def test_schemas_are_not_fetched(script: Script, address: str) -> None:
    body = {"parts": [], "format": {"type": "json_schema", "schema": {"properties": {"a": {"$ref": address}}}}}
    refused = await script.post(await script.session(), "message", body, status=400)
    assert "Retrieval is disabled" in refused["data"]["message"]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"type": "json_schema", "schema": 5}, '["format"]["schema"]'),
        ({"type": "json_schema"}, '["format"]["schema"]'),
        ({**FORMAT, "retryCount": -1}, '["format"]["retryCount"]'),
        ({"type": "yaml"}, '["format"]["type"]'),
    ],
)
async def test_what_is_no_format_is_refused(script: Script, given: dict[str, Any], place: str) -> None:
    body = {"parts": [], "format": given}
    refused = await script.post(await script.session(), "message", body, status=400)
    assert refused["data"]["message"].endswith(f"at {place}")


async def test_an_object_is_still_wanted_after_the_history_was_condensed(script: Script) -> None:
    def is_summary(request: RecordedRequest) -> bool:
        return not request.is_title and "## Discoveries" in request.raw.decode()

    script.model.push("Before.")
    script.model.push(turn(Call("read", {"filePath": "hello.txt"}, id="call_r"), tokens=Tokens(input=95_000)))
    script.model.push_for(is_summary, "## Goal\nTo name a city.")
    script.model.push(turn(gives(city="Oslo", count=1)))
    session = await script.session()
    await script.prompt(session, "Earlier words")
    answer = await script.prompt(session, "Go", format=FORMAT)
    assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}
    assert any(message["info"].get("summary") is True for message in await script.messages(session))


async def test_condensing_a_session_by_hand_asks_for_no_object_again(script: Script) -> None:
    script.model.push(turn(gives(city="Oslo", count=1)), "## Goal\nTo name a city.")
    session = await script.session()
    await script.prompt(session, "Go", format=FORMAT)
    assert await script.post(session, "summarize", {"providerID": "scripted", "modelID": "m1"}) is True
    assert len(script.model.turns) == 2


async def test_a_full_history_with_an_object_is_condensed_only_by_the_next_prompt(script: Script) -> None:
    script.model.push(turn(gives(city="Oslo", count=1), tokens=Tokens(input=95_000)), "Summary.", "In words.")
    session = await script.session()
    answer = await script.prompt(session, "Go", format=FORMAT)
    assert answer["info"]["structured"] == {"city": "Oslo", "count": 1}
    assert len(script.model.turns) == 1


async def test_stopping_ends_the_tries(script: Script) -> None:
    reached = anyio.Event()
    script.model.push("It is Oslo.", turn(Wait(anyio.Event(), reached)))
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.post, session, "message", {"parts": [], "format": FORMAT})
        with anyio.fail_after(20):
            await reached.wait()
        await script.post(session, "abort")
    assert (await script.messages(session))[-1]["info"]["error"]["name"] == "MessageAbortedError"
    assert await script.get("/session/status") == {}
