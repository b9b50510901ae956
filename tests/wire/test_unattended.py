"""Permissions and questions while no client is connected that could answer them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.core.ids import PermissionID, SessionID
from opencode.core.wire import encode
from opencode.event.unattended import AskDeadlineChanged
from opencode.instance.shared import Shared
from opencode.permission.schema import PermissionAsked, PermissionReplied, PermissionRequest
from opencode.question.schema import QuestionRejected
from opencode.session.schema import SessionErrored, UnansweredError
from tests.support.scripted_model.script import Call, turn
from tests.wire.delegating import PATIENCE_SECONDS, Json, Script, scripted

RUN = turn(Call("bash", {"command": "touch made.txt", "description": "Make"}))
QUESTION = {"question": "Which?", "header": "Which", "options": [{"label": "This", "description": "This"}]}
ASK = turn(Call("question", {"questions": [QUESTION]}))
NOW = {"afterSeconds": 0}
LATER = {"afterSeconds": 3600}


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OPENCODE_CLIENT": "cli"}


@asynccontextmanager
async def serving(client: httpx.AsyncClient, shared: Shared, project: Path, **policy: Any) -> AsyncIterator[Script]:
    config = {"permission": {"bash": "ask"}, "server": {"unattended": policy}}
    with anyio.fail_after(PATIENCE_SECONDS):
        async with scripted(client, shared, project, **config) as script:
            yield script


async def test_a_permission_that_nobody_can_give_is_refused_and_the_model_goes_on(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="deny", **NOW) as script:
        script.model.push(RUN, "Then not.")
        session = await script.session()
        answer = await script.prompt(session, "Make it")
        assert answer["parts"][1]["text"] == "Then not."
        (state,) = await script.calls(session)
        assert "rejected permission" in state["error"] and "nobody was connected" in state["error"]
        assert [event.reply for event in script.heard(PermissionReplied)] == ["reject"]
    assert not (project / "made.txt").exists()


async def test_a_question_that_nobody_can_answer_is_dismissed_and_the_model_goes_on(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="deny", **NOW) as script:
        script.model.push(ASK, "I chose.")
        session = await script.session()
        assert (await script.prompt(session, "Choose"))["parts"][1]["text"] == "I chose."
        (state,) = await script.calls(session)
        assert "user dismissed" in state["error"]
        assert len(script.heard(QuestionRejected)) == 1


@pytest.mark.parametrize("call", [RUN, ASK], ids=["permission", "question"])
async def test_where_that_is_a_failure_the_turn_ends_with_a_typed_error(
    client: httpx.AsyncClient, shared: Shared, project: Path, call: Any
) -> None:
    async with serving(client, shared, project, policy="fail", **NOW) as script:
        script.model.push(call)
        session = await script.session()
        answer = await script.prompt(session, "Do it")
        assert answer["info"]["error"]["name"] == "UnansweredError"
        assert "nobody was connected" in answer["info"]["error"]["data"]["message"]
        (errored,) = script.heard(SessionErrored)
        assert isinstance(errored.error, UnansweredError)
        assert await script.get("/session/status") == {}


async def test_by_default_a_request_waits_without_limit(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, permission={"bash": "ask"}) as script:
        script.model.push(RUN)
        session = await script.session()
        await script.post(session, "prompt_async", {"parts": [{"type": "text", "text": "Make it"}]}, status=204)
        await script.until(PermissionAsked)
        assert script.heard(AskDeadlineChanged) == []
        assert len(await script.get("/permission")) == 1


async def test_a_client_that_listens_stops_the_clock_and_its_going_starts_it_again(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="deny", **LATER) as script:
        script.model.push(RUN)
        session = await script.session()
        await script.post(session, "prompt_async", {"parts": [{"type": "text", "text": "Make it"}]}, status=204)
        (asked,) = await script.until(PermissionAsked)
        await script.until(AskDeadlineChanged)
        async with shared.bus.subscribe(str(project)):
            await script.until(AskDeadlineChanged, 2)
            async with shared.bus.subscribe(None):
                pass
        alone, attended, again = await script.until(AskDeadlineChanged, 3)
        assert {event.request_id for event in (alone, attended, again)} == {asked.id}
        assert isinstance(alone.deadline, int) and isinstance(again.deadline, int)
        assert not isinstance(attended.deadline, int)
        reply: Json = {"reply": "once"}
        assert (await script.client.post(f"/permission/{asked.id}/reply", json=reply)).json() is True


async def test_streams_of_other_directories_are_no_audience(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="deny", **NOW) as script, shared.bus.subscribe("/elsewhere"):
        script.model.push(RUN, "Then not.")
        assert (await script.prompt(await script.session(), "Make it"))["parts"][1]["text"] == "Then not."


async def test_while_somebody_listens_nothing_is_refused(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="fail", **NOW) as script, shared.bus.subscribe(None):
        script.model.push(RUN, "Made.")
        session = await script.session()
        await script.post(session, "prompt_async", {"parts": [{"type": "text", "text": "Make it"}]}, status=204)
        (asked,) = await script.until(PermissionAsked)
        await script.client.post(f"/permission/{asked.id}/reply", json={"reply": "once"})
        await script.until(PermissionReplied)
        assert [event.reply for event in script.heard(PermissionReplied)] == ["once"]
        assert script.heard(AskDeadlineChanged) == []


async def test_a_request_of_an_earlier_process_gets_its_deadline_when_the_directory_is_opened_again(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with serving(client, shared, project, policy="fail", **NOW) as script:
        session = await script.session()
        request = PermissionRequest(
            id=PermissionID("per_left"),
            session_id=SessionID(session),
            permission="bash",
            patterns=["x"],
            metadata={},
            always=[],
        )
        row = (request.id, session, str(project), 1, encode(request))
        await shared.database.write(lambda tx: tx.execute("INSERT INTO permission_request VALUES (?, ?, ?, ?, ?)", row))
        await shared.registry.dispose(str(project))
        assert (await script.client.get("/permission")).status_code == 200
        while shared.database.read("SELECT 1 FROM permission_request"):
            await anyio.lowlevel.checkpoint()
