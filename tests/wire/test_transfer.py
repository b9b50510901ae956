"""Importing sessions, through the API."""

from typing import Any

import httpx2 as httpx
import pytest

SESSION = {
    "id": "ses_other",
    "slug": "a-b",
    "projectID": "theirs",
    "directory": "/elsewhere",
    "title": "Other",
    "version": "1.2.15",
    "time": {"created": 1, "updated": 2},
}
MODEL = {"providerID": "p", "modelID": "m"}
PROJECT = {"id": "theirs", "worktree": "/elsewhere", "sandboxes": [], "time": {"created": 1, "updated": 1}}


def message(id: str = "msg_1", session_id: str = "ses_other") -> dict[str, Any]:
    info = {"id": id, "sessionID": session_id, "role": "user", "agent": "build", "model": MODEL, "time": {"created": 1}}
    part = {"id": f"prt_{id}", "sessionID": session_id, "messageID": id, "type": "text", "text": "hello"}
    return {"info": info, "parts": [part]}


async def test_an_imported_session_is_listed_where_it_was_imported(client: httpx.AsyncClient, project: Any) -> None:
    """Source: operation ``session.import``."""
    answer = await client.post("/session/import", json={"info": SESSION, "messages": [message()]})
    done = answer.json()
    assert (done["created"], done["messages"], done["parts"]) == (True, 1, 1)
    assert done["session"]["directory"] == str(project)
    assert [session["id"] for session in (await client.get("/session")).json()] == ["ses_other"]
    assert (await client.get("/session/ses_other/message")).json() == [message()]


async def test_a_restored_session_keeps_its_place(client: httpx.AsyncClient) -> None:
    """Source: operation ``global.session.restore``."""
    body = {"info": SESSION, "messages": [message()], "project": PROJECT}
    assert (await client.post("/global/session", json=body)).json()["session"]["directory"] == "/elsewhere"
    assert (await client.get("/session")).json() == []
    (listed,) = (await client.get("/experimental/session")).json()
    assert (listed["id"], listed["project"]["worktree"]) == ("ses_other", "/elsewhere")
    content = (await client.get("/global/session/ses_other")).json()
    assert [one["id"] for one in content["messages"]] == ["msg_1"]


@pytest.mark.parametrize("created", [2**63, -(2**70)])
async def test_times_beyond_every_calendar_are_kept(client: httpx.AsyncClient, created: int) -> None:
    info = {**SESSION, "time": {"created": created, "updated": created, "archived": created}}
    text = message()
    text["info"]["time"] = {"created": created}
    for _ in ("new", "replaced"):
        answer = await client.post("/session/import", json={"info": info, "messages": [text], "replace": True})
        assert (answer.status_code, answer.json()["session"]["time"]["archived"]) == (200, created)
    assert (await client.get("/session/ses_other/message")).json() == [text]


async def test_an_id_of_another_session_is_409(client: httpx.AsyncClient) -> None:
    await client.post("/global/session", json={"info": SESSION, "messages": [message()]})
    other = {"info": {**SESSION, "id": "ses_third"}, "messages": [message(session_id="ses_third")]}
    answer = await client.post("/global/session", json=other)
    assert (answer.status_code, answer.json()["name"]) == (409, "ConflictError")
    assert (await client.get("/global/session/ses_third")).status_code == 404


async def test_a_body_that_is_no_export_is_400_with_the_place_of_the_fault(client: httpx.AsyncClient) -> None:
    wrong = message()
    wrong["parts"][0]["type"] = "hologram"
    answer = await client.post("/session/import", json={"info": SESSION, "messages": [wrong]})
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["path"]) == (400, ["messages", 0, "parts", 0, "type"])
