"""``/v1``: what clients find that expect an API in the manner of OpenAI's."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.server import serving
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.script import Call, Fail, Text, turn
from tests.support.scripted_model.server import ScriptedModel, scripted_model


@pytest.fixture
async def model(project: Path) -> AsyncIterator[ScriptedModel]:
    """The only provider of the project is a scripted one."""
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url))
        yield model


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


async def streamed(application: Application, method: str, **request: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a streamed answer, with their names."""
    async with serving(application) as listening, httpx.AsyncClient(base_url=listening.url, timeout=20) as client:
        answer = await client.request(method, "/v1/chat/stream", **request)
    assert answer.headers["content-type"] == "text/event-stream", answer.text
    blocks = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_a_chat_is_answered_as_a_completion(client: httpx.AsyncClient, model: ScriptedModel) -> None:
    model.push(turn(Call("read", {"filePath": "hello.txt"})), turn(Text("It says hello")))
    answer = await client.post("/v1/chat", json=said("what does hello.txt say?", model="m1"))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["object"], body["model"], body["id"][:9]) == ("chat.completion", "m1", "chatcmpl-")
    message = {"role": "assistant", "content": "It says hello"}
    assert body["choices"] == [{"index": 0, "message": message, "finish_reason": "stop"}]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    session = (await client.get(f"/session/{body['sessionID']}")).json()
    assert session["title"] == "what does hello.txt say?"
    assert body["content"] == "It says hello"


async def test_what_was_said_before_reaches_the_model(client: httpx.AsyncClient, model: ScriptedModel) -> None:
    model.push(turn(Text("blue")))
    messages = [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "I like blue."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": [{"type": "text", "text": "What do I like?"}]},
    ]
    answer = await client.post("/v1/chat", json={"messages": messages})
    assert answer.json()["content"] == "blue"
    sent = json.dumps(next(request.body for request in model.requests if not request.is_title))
    for text in ("Answer in one word.", "user: I like blue.", "assistant: Noted.", "What do I like?"):
        assert text in sent, text


async def test_a_session_goes_on_and_is_found_again(client: httpx.AsyncClient, model: ScriptedModel) -> None:
    model.push(turn(Text("one")), turn(Text("two")))
    first = (await client.post("/v1/chat", json=said("count"))).json()
    second = (await client.post("/v1/chat", json=said("go on", session_id=first["sessionID"]))).json()
    assert (second["sessionID"], second["content"]) == (first["sessionID"], "two")
    listed = (await client.get("/v1/sessions")).json()
    assert (listed["object"], [session["id"] for session in listed["data"]]) == ("list", [first["sessionID"]])


async def test_texts_are_streamed_as_blocks(application: Application, model: ScriptedModel) -> None:
    model.push(
        turn(Text("Let me look. ", chunks=3), Call("read", {"filePath": "hello.txt"})), turn(Text("Hello!", chunks=2))
    )
    events = await streamed(application, "POST", json=said("say hello"))
    assert all(name == data["type"] for name, data in events)
    names = [name for name, _ in events if name != "content_block_delta"]
    block = ["content_block_start", "content_block_stop"]
    assert names == ["message_start", *block, *block, "message_stop"]
    texts = {0: "", 1: ""}
    for name, data in events:
        if name == "content_block_delta":
            texts[data["index"]] += data["delta"]["text"]
    assert texts == {0: "Let me look. ", 1: "Hello!"}


async def test_a_stream_can_be_asked_for_without_a_body(application: Application, model: ScriptedModel) -> None:
    model.push(turn(Text("Hello!")))
    said_so = {"message": "say hello", "model": "scripted/m1"}
    events = await streamed(application, "GET", params=said_so, headers={"accept": "text/event-stream"})
    assert "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta") == "Hello!"


@pytest.mark.parametrize(("method", "accept"), [("GET", "image/png,*/*"), ("HEAD", "text/event-stream")])
async def test_an_image_of_a_page_or_a_look_at_the_head_starts_no_turn(
    client: httpx.AsyncClient, model: ScriptedModel, method: str, accept: str
) -> None:
    params = {"message": "say hello", "model": "scripted/m1"}
    answer = await client.request(method, "/v1/chat/stream", params=params, headers={"accept": accept})
    assert answer.status_code == 400
    assert (await client.get("/v1/sessions")).json()["data"] == []
    assert model.requests == []


async def test_a_client_that_leaves_a_stream_stops_the_turn(application: Application, model: ScriptedModel) -> None:
    model.push(turn(Call("bash", {"command": "sleep 60", "description": "x"})))
    async with serving(application) as listening, httpx.AsyncClient(base_url=listening.url, timeout=20) as client:
        with anyio.fail_after(20):
            async with client.stream("POST", "/v1/chat/stream", json=said("wait")) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("data:"):
                        break
            while (await client.get("/session/status")).json():
                await anyio.lowlevel.checkpoint()


async def test_what_cannot_be_answered_is_an_error(client: httpx.AsyncClient, model: ScriptedModel) -> None:
    cases = [
        ({"messages": []}, 400),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400),
        (said("x", model="scripted/none"), 400),
        (said("x", model="none"), 400),
        (said("x", skills=["none"]), 400),
        (said("x", session_id="ses_missing"), 404),
    ]
    for body, status in cases:
        answer = await client.post("/v1/chat", json=body)
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True), body
    assert (await client.get("/v1/sessions")).json()["data"] == []


async def test_the_refusal_of_a_provider_is_told(client: httpx.AsyncClient, model: ScriptedModel) -> None:
    model.push(turn(Fail(401, "no such key")))
    answer = await client.post("/v1/chat", json=said("x"))
    assert (answer.status_code, answer.json()["name"]) == (503, "ChatFailed")
    assert "no such key" in answer.json()["message"]


async def test_a_stream_tells_of_it_before_its_end(application: Application, model: ScriptedModel) -> None:
    model.push(turn(Fail(401, "no such key")))
    start, error, end = await streamed(application, "POST", json=said("x"))
    assert (start[0], end[0]) == ("message_start", "message_stop")
    assert error[1]["error"]["type"] == "ChatFailed" and "no such key" in error[1]["error"]["message"]


async def test_a_session_of_another_directory_is_not_taken_along(
    client: httpx.AsyncClient, tmp_path: Path, model: ScriptedModel
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    session = (await client.post("/session", params={"directory": str(elsewhere)}, json={})).json()["id"]
    refused = await client.post("/v1/chat", json=said("x", session_id=session))
    assert (refused.status_code, str(elsewhere) in refused.json()["message"]) == (400, True)


async def test_models_tools_and_skills_are_lists(client: httpx.AsyncClient, project: Path) -> None:
    skill = project / ".opencode/skills/release/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: release\ndescription: How to release\n---\nDo it.\n")
    models, tools, skills = [(await client.get(f"/v1/{name}")).json() for name in ("models", "tools", "skills")]
    assert [(one["id"], one["object"], one["owned_by"]) for one in models["data"]] == [("demo/demo", "model", "demo")]
    (read,) = [tool for tool in tools["data"] if tool["id"] == "read"]
    assert (read["name"], read["parameters"]["type"]) == ("read", "object")
    assert {"name": "release", "description": "How to release", "location": str(skill)} in skills["data"]
