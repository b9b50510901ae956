"""Asks of a running prompt, answered through the API. The demonstration model makes the calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest


@pytest.fixture
async def session(client: httpx.AsyncClient) -> str:
    rules = [{"permission": "bash", "pattern": "*", "action": "ask"}]
    return str((await client.post("/session", json={"title": "Asking", "permission": rules})).json()["id"])


@asynccontextmanager
async def running(client: httpx.AsyncClient, session: str, words: str) -> AsyncIterator[list[httpx.Response]]:
    """A prompt at work; its answer is in the list once the block is left."""
    answers: list[httpx.Response] = []

    async def prompt() -> None:
        body = {"parts": [{"type": "text", "text": words}]}
        answers.append(await client.post(f"/session/{session}/message", json=body))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(prompt)
            yield answers


async def waiting(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """The first request that waits."""
    while not (requests := (await client.get(path)).json()):
        await anyio.lowlevel.checkpoint()
    return requests[0]  # type: ignore[no-any-return]


async def tool_states(client: httpx.AsyncClient, session: str) -> list[dict[str, Any]]:
    messages = (await client.get(f"/session/{session}/message")).json()
    return [part["state"] for message in messages for part in message["parts"] if part["type"] == "tool"]


async def test_a_command_runs_once_it_is_allowed(client: httpx.AsyncClient, session: str, project: Path) -> None:
    async with running(client, session, "run touch made.txt"):
        request = await waiting(client, "/permission")
        assert (request["permission"], request["sessionID"]) == ("bash", session)
        assert list((await client.get("/session/status")).json()) == [session]
        reply = await client.post(f"/permission/{request['id']}/reply", json={"reply": "once"})
        assert reply.json() is True
    assert (project / "made.txt").exists()
    again = await client.post(f"/permission/{request['id']}/reply", json={"reply": "once"})
    assert (again.status_code, again.json()["_tag"]) == (404, "PermissionNotFoundError")


async def test_a_command_is_refused_on_the_old_route(client: httpx.AsyncClient, session: str, project: Path) -> None:
    async with running(client, session, "run touch made.txt"):
        request = await waiting(client, "/permission")
        path = f"/session/{session}/permissions/{request['id']}"
        assert (await client.post(path, json={"response": "reject"})).json() is True
    assert not (project / "made.txt").exists()
    assert [state["status"] for state in await tool_states(client, session)] == ["error"]


async def test_a_question_is_answered(client: httpx.AsyncClient, session: str) -> None:
    async with running(client, session, "ask me which colour"):
        request = await waiting(client, "/question")
        answers = [[question["options"][0]["label"]] for question in request["questions"]]
        assert (await client.post(f"/question/{request['id']}/reply", json={"answers": answers})).json() is True
    (state,) = await tool_states(client, session)
    assert (state["status"], answers[0][0] in state["output"]) == ("completed", True)


async def test_a_question_is_dismissed(client: httpx.AsyncClient, session: str) -> None:
    async with running(client, session, "ask me which colour"):
        request = await waiting(client, "/question")
        assert (await client.post(f"/question/{request['id']}/reject")).json() is True
    assert [state["status"] for state in await tool_states(client, session)] == ["error"]
    assert (await client.get("/question")).json() == []
