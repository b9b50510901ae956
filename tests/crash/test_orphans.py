"""Asks whose server was killed while a person was thinking: offered again, and the answer goes on from there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.crash.world import World, new_world
from tests.support.scripted_model.script import Call, Op, turn

TOUCH = Call("bash", {"command": "touch asked-1", "description": "touch"}, id="call_touch")
OPTIONS = [{"label": "red", "description": "Red."}, {"label": "blue", "description": "Blue."}]
QUESTION = Call("question", {"questions": [{"question": "Which?", "header": "H", "options": OPTIONS}]}, id="call_ask")
STOPPED = "The server stopped while this call was running; it may have had effects, but gave no result"


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with new_world(tmp_path, request.node.name) as world:
        yield world


@asynccontextmanager
async def restarted(world: World, call: Op, kind: str) -> AsyncIterator[tuple[httpx2.AsyncClient, str, Any]]:
    """A server whose predecessor was killed while that call waited for a person; the session and the ask."""
    world.model.push(turn(call))
    async with world.server() as first, first.client() as http:
        session = (await http.post("/session", json={"title": "x"})).json()["id"]
        await http.post(f"/session/{session}/prompt_async", json={"parts": [{"type": "text", "text": "go"}]})
        before = await asks(http, kind, 1)
    async with world.server() as second, second.client() as http:
        after = await asks(http, kind, 1)
        assert after == before
        assert (await http.get("/session/status")).json() == {}
        assert [state["error"] for state in await states(http, session)] == [STOPPED]
        yield http, session, after[0]


async def asks(http: httpx2.AsyncClient, kind: str, count: int) -> list[Any]:
    """The asks, once there are so many."""
    with anyio.fail_after(20):
        while len(found := (await http.get(f"/{kind}")).json()) != count:  # noqa: ASYNC110 (another process)
            await anyio.sleep(0.01)
    return list(found)


async def states(http: httpx2.AsyncClient, session: str) -> list[Any]:
    """The states of all tool calls, oldest first."""
    messages = (await http.get(f"/session/{session}/message")).json()
    return [part["state"] for message in messages for part in message["parts"] if part["type"] == "tool"]


async def finished(http: httpx2.AsyncClient, session: str, text: str) -> None:
    """Wait for the answer with that text, and until the session rests."""
    with anyio.fail_after(20):
        while text not in (await http.get(f"/session/{session}/message")).text:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        while (await http.get("/session/status")).json():  # noqa: ASYNC110
            await anyio.sleep(0.01)


@pytest.mark.parametrize("reply", ["once", "always"])
async def test_a_permission_given_after_a_restart_lets_the_repeated_call_pass(world: World, reply: str) -> None:
    async with restarted(world, TOUCH, "permission") as (http, session, ask):
        world.model.push(turn(TOUCH), "it is made")
        assert (await http.post(f"/permission/{ask['id']}/reply", json={"reply": reply})).json() is True
        await finished(http, session, "it is made")
        assert await asks(http, "permission", 0) == []
        assert [state["status"] for state in await states(http, session)] == ["error", "completed"]
        assert (world.project / "asked-1").exists()
        again = await http.post(f"/permission/{ask['id']}/reply", json={"reply": reply})
        assert again.status_code == 404


async def test_a_permission_given_once_after_a_restart_is_used_up_by_one_call(world: World) -> None:
    async with restarted(world, TOUCH, "permission") as (http, session, ask):
        world.model.push(turn(TOUCH), turn(TOUCH), "done")
        await http.post(f"/permission/{ask['id']}/reply", json={"reply": "once"})
        (second,) = await asks(http, "permission", 1)
        await http.post(f"/permission/{second['id']}/reply", json={"reply": "once"})
        await finished(http, session, "done")


async def test_a_permission_refused_after_a_restart_leaves_the_session_at_rest(world: World) -> None:
    async with restarted(world, TOUCH, "permission") as (http, _, ask):
        calls = len(world.model.turns)
        await http.post(f"/permission/{ask['id']}/reply", json={"reply": "reject"})
        assert await asks(http, "permission", 0) == []
        assert (await http.get("/session/status")).json() == {}
        assert len(world.model.turns) == calls
        assert not (world.project / "asked-1").exists()


async def test_a_repeated_call_takes_the_place_of_an_ask_that_nobody_answered(world: World) -> None:
    async with restarted(world, TOUCH, "permission") as (http, session, ask):
        world.model.push(turn(TOUCH), "done")
        await http.post(f"/session/{session}/prompt_async", json={"parts": [{"type": "text", "text": "again"}]})
        with anyio.fail_after(20):
            while (second := (await asks(http, "permission", 1))[0])["id"] == ask["id"]:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await http.post(f"/permission/{second['id']}/reply", json={"reply": "once"})
        await finished(http, session, "done")


async def test_answers_given_after_a_restart_become_the_result_of_their_call(world: World) -> None:
    async with restarted(world, QUESTION, "question") as (http, session, ask):
        world.model.push("blue it is")
        assert (await http.post(f"/question/{ask['id']}/reply", json={"answers": [["blue"]]})).json() is True
        await finished(http, session, "blue it is")
        (state,) = await states(http, session)
        assert (state["status"], state["metadata"]["answers"]) == ("completed", [["blue"]])
        assert 'Which?\\"=\\"blue' in json.dumps(world.model.turns[-1].body)


async def test_questions_dismissed_after_a_restart_leave_the_session_at_rest(world: World) -> None:
    async with restarted(world, QUESTION, "question") as (http, _, ask):
        assert (await http.post(f"/question/{ask['id']}/reject")).json() is True
        assert await asks(http, "question", 0) == []
        assert (await http.get("/session/status")).json() == {}


@pytest.mark.parametrize(("call", "kind"), [(TOUCH, "permission"), (QUESTION, "question")])
async def test_an_abort_after_a_restart_takes_the_ask_back(world: World, call: Op, kind: str) -> None:
    async with restarted(world, call, kind) as (http, session, _):
        assert (await http.post(f"/session/{session}/abort")).json() is True
        assert await asks(http, kind, 0) == []


async def test_answers_are_kept_when_the_server_is_killed_as_soon_as_it_took_them(world: World) -> None:
    world.model.push(turn(QUESTION))
    async with world.server() as first, first.client() as http:
        session = (await http.post("/session", json={"title": "x"})).json()["id"]
        await http.post(f"/session/{session}/prompt_async", json={"parts": [{"type": "text", "text": "go"}]})
        (ask,) = await asks(http, "question", 1)
        assert (await http.post(f"/question/{ask['id']}/reply", json={"answers": [["blue"]]})).json() is True
        await first.kill()
    async with world.server() as second, second.client() as http:
        (state,) = await states(http, session)
        assert (state["status"], state["metadata"]["answers"]) == ("completed", [["blue"]])
        assert await asks(http, "question", 0) == []
