"""Names and shapes of older and unofficial documents (seed variants)."""

import json
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.routes.permission import RespondBody, reply_of
from opencode.http.server import serving
from tests.wire.test_asking import running, waiting

HELLO = {"parts": [{"type": "text", "text": "list"}]}


@pytest.fixture
async def session(client: httpx.AsyncClient) -> str:
    return str((await client.post("/session", json={})).json()["id"])


async def test_a_prompt_may_go_to_prompt(client: httpx.AsyncClient, session: str) -> None:
    answer = await client.post(f"/session/{session}/prompt", json={**HELLO, "sessionID": session, "agent": "build"})
    assert (answer.status_code, answer.json()["info"]["role"]) == (200, "assistant")


async def test_a_message_is_found_by_its_id_alone(client: httpx.AsyncClient, session: str) -> None:
    await client.post(f"/session/{session}/message", json=HELLO)
    _, stored, _ = (await client.get(f"/session/{session}/message")).json()
    found = (await client.get(f"/message/{stored['info']['id']}")).json()
    assert (found["info"], found["sessionID"], found["role"]) == (stored["info"], session, "assistant")
    assert found["tokens"] == stored["info"]["tokens"]
    (call,) = [part for part in found["parts"] if part["type"] == "tool"]
    assert call["args"] == call["state"]["input"] == {"pattern": "*"}
    missing = await client.get("/message/msg_missing")
    assert (missing.status_code, missing.json()["message"]) == (404, "Message not found: msg_missing")


@pytest.mark.parametrize(
    "body",
    [
        {"answer": {"choices": ["red"]}},
        {"answer": "red"},
        {"answer": ["red"]},
        {"answer": [{"choices": ["red"]}]},
        {"answers": [["red"]]},
    ],
)
async def test_a_question_is_read_and_answered(client: httpx.AsyncClient, session: str, body: dict[str, Any]) -> None:
    async with running(client, session, "ask me Which colour: red, blue") as answers:
        question = await waiting(client, "/question")
        assert (await client.get(f"/question/{question['id']}")).json() == question
        assert (await client.post(f"/question/{question['id']}/answer", json=body)).json() is True
    assert '"Which colour?"="red"' in answers[0].text.replace('\\"', '"')
    gone = await client.get(f"/question/{question['id']}")
    assert (gone.status_code, gone.json()["_tag"]) == (404, "QuestionNotFoundError")


@pytest.mark.parametrize(
    ("response", "remember", "reply"),
    [("allow", False, "once"), ("approve", True, "always"), ("once", True, "always"), ("deny", True, "reject")],
)
def test_replies_to_asks_have_older_words(response: Any, remember: bool, reply: str) -> None:
    assert reply_of(RespondBody(response=response, remember=remember)) == reply


async def test_an_allowance_is_remembered(client: httpx.AsyncClient) -> None:
    rules = [{"permission": "bash", "pattern": "*", "action": "ask"}]
    session = (await client.post("/session", json={"permission": rules})).json()["id"]
    async with running(client, session, "run true then run true"):
        ask = await waiting(client, "/permission")
        answer = await client.post(
            f"/session/{session}/permissions/{ask['id']}", json={"response": "allow", "remember": True}
        )
        assert answer.json() is True
    assert (await client.get("/permission")).json() == []


async def test_the_log_takes_levels_in_capitals(client: httpx.AsyncClient) -> None:
    entry = {"service": "client", "level": "WARN", "message": "note"}
    assert (await client.post("/log", json=entry)).json() is True


async def test_a_session_has_a_stream_of_its_own(application: Application) -> None:
    """Each event is there twice: as on ``/event``, and as ``payload``; nothing of other sessions comes."""
    seen: list[dict[str, Any]] = []
    async with serving(application) as listening, httpx.AsyncClient(base_url=listening.url, timeout=20) as client:
        session = (await client.post("/session", json={})).json()["id"]
        other = (await client.post("/session", json={})).json()["id"]
        with anyio.fail_after(20):
            async with client.stream("GET", f"/session/{session}/event") as stream:
                lines = stream.aiter_lines()
                while not seen:
                    seen += await events_in(lines)
                for one in (other, session):
                    assert (await client.post(f"/session/{one}/prompt_async", json=HELLO)).status_code == 204
                while seen[-1]["type"] != "session.idle":
                    seen += await events_in(lines)
        missing = await client.get("/session/ses_missing/event")
    assert seen[0]["type"] == "server.connected"
    assert {event["properties"]["sessionID"] for event in seen[1:]} == {session}
    deltas = [event for event in seen if event["type"] == "message.part.delta"]
    assert all(
        event["payload"] == {key: event[key] for key in ("id", "type", "properties")}
        for event in seen
        if event not in deltas
    )
    assert {event["payload"]["type"] for event in deltas} == {"message.part.updated"}
    assert all(event["payload"]["properties"]["delta"] == event["properties"]["delta"] for event in deltas)
    assert missing.status_code == 404


async def events_in(lines: Any) -> list[dict[str, Any]]:
    """The event of the next line, if it has one."""
    line = await anext(lines)
    return [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []
