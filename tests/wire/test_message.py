"""Messages and prompts through the running application, answered by the demonstration model."""

from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import MessagePartDelta
from tests.support.scripted_model.script import Text, Wait, turn
from tests.wire.delegating import scripted


@pytest.fixture
async def session(client: httpx.AsyncClient) -> str:
    return str((await client.post("/session", json={"title": "Messages"})).json()["id"])


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"parts": [{"type": "text", "text": words}], **more}


async def note(client: httpx.AsyncClient, session: str, words: str) -> dict[str, Any]:
    answer = await client.post(f"/session/{session}/message", json=text(words, noReply=True))
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_prompt_waits_for_its_answer(client: httpx.AsyncClient, session: str) -> None:
    answer = await client.post(f"/session/{session}/message", json=text("What can you do?"))
    assert answer.status_code == 200, answer.text
    info, parts = answer.json()["info"], answer.json()["parts"]
    assert (info["role"], info["sessionID"], "completed" in info["time"]) == ("assistant", session, True)
    assert [part["type"] for part in parts if part["type"] == "text"] == ["text"]
    messages = (await client.get(f"/session/{session}/message")).json()
    assert [message["info"]["role"] for message in messages] == ["user", "assistant"]
    assert messages[-1] == answer.json()


async def test_a_prompt_without_reply_is_stored_under_the_ids_the_client_chose(
    client: httpx.AsyncClient, session: str
) -> None:
    body = {"messageID": "msg_mine", "noReply": True, "parts": [{"id": "prt_mine", "type": "text", "text": "hi"}]}
    answer = await client.post(f"/session/{session}/message", json=body)
    assert answer.json()["info"]["id"] == "msg_mine"
    assert [part["id"] for part in answer.json()["parts"]] == ["prt_mine"]
    assert (await client.get(f"/session/{session}/message/msg_mine")).json() == answer.json()


async def test_an_asynchronous_prompt_is_accepted_and_answered_later(client: httpx.AsyncClient, session: str) -> None:
    accepted = await client.post(f"/session/{session}/prompt_async", json=text("Hello"))
    assert (accepted.status_code, accepted.content) == (204, b"")
    with anyio.fail_after(20):
        while not any(
            message["info"]["time"].get("completed")
            for message in (await client.get(f"/session/{session}/message")).json()
        ):
            await anyio.lowlevel.checkpoint()


async def test_messages_are_paged_from_the_newest(client: httpx.AsyncClient, session: str) -> None:
    """Source: golden trace ``messages_pages``."""
    ids = [(await note(client, session, f"note {n}"))["info"]["id"] for n in range(5)]
    newest = await client.get(f"/session/{session}/message?limit=2")
    cursor = newest.headers["x-next-cursor"]
    assert [message["info"]["id"] for message in newest.json()] == ids[3:]
    link = f'<http://localhost:4096/session/{session}/message?limit=2&before={cursor}>; rel="next"'
    assert newest.headers["link"] == link
    older = await client.get(f"/session/{session}/message?limit=3&before={cursor}")
    assert [message["info"]["id"] for message in older.json()] == ids[:3]
    assert "x-next-cursor" not in older.headers
    everything = await client.get(f"/session/{session}/message?limit=0")
    assert [message["info"]["id"] for message in everything.json()] == ids


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "before=msg_x", "limit=2&before=bad"])
async def test_pages_that_cannot_be_are_refused(client: httpx.AsyncClient, session: str, query: str) -> None:
    answer = await client.get(f"/session/{session}/message?{query}")
    assert (answer.status_code, answer.json()["name"]) == (400, "BadRequest")


async def test_parts_and_messages_are_changed_and_removed(client: httpx.AsyncClient, session: str) -> None:
    """Source: golden trace ``messages_edit``."""
    message = await note(client, session, "before")
    id, part = message["info"]["id"], message["parts"][0]
    path = f"/session/{session}/message/{id}"
    edited = await client.patch(f"{path}/part/{part['id']}", json={**part, "text": "after"})
    assert edited.json() == {**part, "text": "after"}
    wrong = await client.patch(f"{path}/part/{part['id']}", json={**part, "id": "prt_other"})
    assert wrong.status_code == 400
    assert (await client.patch(f"{path}/part/{part['id']}", json={"text": "no type"})).status_code == 400
    assert (await client.delete(f"{path}/part/{part['id']}")).json() is True
    assert (await client.get(path)).json()["parts"] == []
    assert (await client.delete(path)).json() is True
    assert (await client.get(path)).status_code == 404


async def test_a_shell_command_becomes_a_message(client: httpx.AsyncClient, session: str) -> None:
    answer = await client.post(f"/session/{session}/shell", json={"agent": "build", "command": "cat hello.txt"})
    assert answer.status_code == 200, answer.text
    (tool,) = [part for part in answer.json()["parts"] if part["type"] == "tool"]
    assert (tool["state"]["status"], "hello" in tool["state"]["output"]) == ("completed", True)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, '["parts"]'),
        ({"parts": "text"}, '["parts"]'),
        ({"parts": [{"type": "text"}]}, '["parts"][0]["text"]'),
        ({"parts": [{"type": "odd"}]}, '["parts"][0]["type"]'),
        ({"parts": [], "model": "a/b"}, '["model"]'),
        ({"parts": [], "noReply": "yes"}, '["noReply"]'),
        ({"parts": [], "messageID": "wrong"}, '["messageID"]'),
    ],
)
async def test_prompts_of_the_wrong_shape_say_where(
    client: httpx.AsyncClient, session: str, body: dict[str, Any], place: str
) -> None:
    """Source: golden trace ``errors``."""
    answer = await client.post(f"/session/{session}/message", json=body)
    assert (answer.status_code, answer.json()["data"]["kind"]) == (400, "Payload")
    assert answer.json()["data"]["message"].endswith(f"\n  at {place}")


async def test_a_reader_sees_all_that_a_pausing_model_has_written(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    reached, go_on = anyio.Event(), anyio.Event()
    async with scripted(client, shared, project) as script, anyio.create_task_group() as tasks:
        script.model.push(turn(Text("What is written so far", chunks=4), Wait(go_on, reached), " and the rest."))
        session = await script.session()
        tasks.start_soon(script.prompt, session, "Write")
        await reached.wait()
        await script.until(MessagePartDelta, 4)
        (_, answer) = await script.messages(session)
        assert answer["parts"][-1]["text"] == "What is written so far"
        message = await script.get(f"/session/{session}/message/{answer['info']['id']}")
        assert message["parts"] == answer["parts"]
        go_on.set()
    assert (await client.get(f"/session/{session}/message")).json()[1]["parts"][1]["text"] == (
        "What is written so far and the rest."
    )


async def test_a_session_keeps_its_model_as_it_was_chosen(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project) as script:
        chosen = {"id": "m1", "providerID": "scripted"}
        session = await script.session(agent="build", model=chosen)
        await script.prompt(session, "Hello")
        assert (await script.get(f"/session/{session}"))["model"] == chosen
