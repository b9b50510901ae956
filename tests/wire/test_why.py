"""What a session waits for, asked while it waits."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.permission.schema import PermissionAsked
from opencode.question.schema import QuestionAsked
from tests.support.scripted_model.script import Call, Fail, Wait, turn
from tests.wire.delegating import PATIENCE_SECONDS, Json, Script, delegates, scripted

LOOP: Json = {"command": "until [ -e go ]; do sleep 0.02; done", "description": "Waits", "timeout": 60_000}
QUESTION = {"question": "Which?", "header": "Which", "options": [{"label": "This", "description": "This"}]}
TEXT = {"parts": [{"type": "text", "text": "Go"}]}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    config: Json = {"permission": {"edit": "ask"}, "server": {"unattended": {"policy": "deny", "afterSeconds": 3600}}}
    with anyio.fail_after(PATIENCE_SECONDS):
        async with scripted(client, shared, project, **config) as script:
            yield script


async def begun(script: Script, *turns: Any) -> str:
    """A session whose prompt is at work."""
    script.model.push(*turns)
    session = await script.session()
    await script.post(session, "prompt_async", TEXT, status=204)
    return session


async def waits(script: Script, session: str, kind: str, **fields: Any) -> Json:
    """The first wait of that kind with those fields, as soon as there is one."""
    while True:
        for wait in (await script.get(f"/session/{session}/why"))["waits"]:
            if wait["type"] == kind and fields.items() <= wait.items():
                return wait  # type: ignore[no-any-return]
        await anyio.lowlevel.checkpoint()


async def test_a_session_that_rests_waits_for_nothing(script: Script) -> None:
    session = await script.session()
    assert await script.get(f"/session/{session}/why") == {
        "sessionID": session, "status": {"type": "idle"}, "waits": [],
    }  # fmt: skip


async def test_an_unknown_session_is_404(script: Script) -> None:
    answer = await script.client.get("/session/ses_missing/why")
    assert (answer.status_code, answer.json()["name"]) == (404, "NotFoundError")


async def test_a_model_that_is_silent_and_one_that_speaks(script: Script) -> None:
    silent, gate = anyio.Event(), anyio.Event()
    session = await begun(script, turn(Wait(silent), "Well ", Wait(gate), "then."))
    first = await waits(script, session, "model", phase="first-byte")
    assert (first["providerID"], first["modelID"], first["attempt"]) == ("scripted", "m1", 1)
    assert first["since"] < first["until"]
    assert first["release"] == [{"method": "POST", "path": f"/session/{session}/abort", "does": "stop the turn"}]
    silent.set()
    later = await waits(script, session, "model", phase="stream")
    assert later["until"] > later["since"] == first["since"]
    gate.set()


async def test_the_next_try_of_a_call_that_failed(script: Script) -> None:
    session = await begun(script, turn(Fail(503, "overloaded", headers={"retry-after": "30"})))
    wait = await waits(script, session, "retry")
    assert (wait["attempt"], wait["message"]) == (1, "Provider is overloaded")
    assert 29_000 < wait["until"] - wait["since"] < 31_000
    assert wait["attemptsLeft"] == 19
    assert 1_700 < wait["secondsLeft"] <= 1_770
    await script.post(session, "abort")


async def test_a_tool_with_its_limit(script: Script, project: Path) -> None:
    session = await begun(script, turn(Call("bash", LOOP)), "Done.")
    wait = await waits(script, session, "tool")
    assert (wait["tool"], wait["callID"]) == ("bash", "call_1")
    assert wait["until"] - wait["since"] >= 60_000
    assert "sleep" not in str(wait)
    (project / "go").touch()


async def test_a_permission_with_its_deadline_and_who_can_give_it(script: Script, shared: Shared) -> None:
    session = await begun(script, turn(Call("write", {"filePath": "new.txt", "content": "secret"})))
    (asked,) = await script.until(PermissionAsked)
    wait = await waits(script, session, "permission", policy="deny")
    assert (wait["requestID"], wait["permission"], wait["patterns"]) == (asked.id, "edit", ["new.txt"])
    assert wait["until"] - wait["since"] >= 3_600_000
    assert wait["release"][0]["path"] == f"/permission/{asked.id}/reply"
    assert [other["type"] for other in (await script.get(f"/session/{session}/why"))["waits"]] == ["permission"]
    async with shared.bus.subscribe(None):
        assert "until" not in await waits(script, session, "permission")
    await script.post(session, "abort")


async def test_a_question_and_how_to_answer_it(script: Script) -> None:
    session = await begun(script, turn(Call("question", {"questions": [QUESTION]})))
    (asked,) = await script.until(QuestionAsked)
    wait = await waits(script, session, "question")
    assert (wait["requestID"], wait["questions"]) == (asked.id, ["Which?"])
    assert [release["path"].rpartition("/")[2] for release in wait["release"]] == ["reply", "reject"]
    await script.post(session, "abort")


async def test_queued_prompts(script: Script) -> None:
    gate = anyio.Event()
    session = await begun(script, turn("One ", Wait(gate)))
    await script.post(session, "prompt_async", {**TEXT, "messageID": "msg_next", "delivery": "queue"}, status=204)
    wait = await waits(script, session, "queue", held=False)
    assert wait["messageID"] == "msg_next"
    assert wait["release"][0]["path"] == f"/session/{session}/queue/msg_next"
    await script.post(session, "abort")
    held = await waits(script, session, "queue", held=True)
    assert [release["method"] for release in held["release"]] == ["POST", "DELETE"]
    gate.set()


async def test_a_subagent_and_what_that_waits_for(script: Script, project: Path) -> None:
    session = await begun(script, delegates("Look here"), turn(Call("bash", LOOP)), "Looked.", "Done.")
    wait = await waits(script, session, "subagent")
    child = (await script.child(session))["id"]
    assert wait["why"]["sessionID"] == child
    nested = await waits(script, child, "tool")
    while nested not in (await waits(script, session, "subagent"))["why"]["waits"]:
        await anyio.lowlevel.checkpoint()
    (project / "go").touch()


async def test_a_compaction(script: Script) -> None:
    gate = anyio.Event()
    session = await begun(script, "Said.")
    while await script.get("/session/status"):
        await anyio.lowlevel.checkpoint()
    script.model.push(turn("Summary ", Wait(gate)))
    async with anyio.create_task_group() as tasks:
        body = {"providerID": "scripted", "modelID": "m1"}
        tasks.start_soon(script.post, session, "summarize", body)
        wait = await waits(script, session, "compaction")
        assert wait["auto"] is False
        assert (await waits(script, session, "model"))["modelID"] == "m1"
        gate.set()


async def test_a_shell_command_of_the_user(script: Script, project: Path) -> None:
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.post, session, "shell", {"agent": "build", "command": LOOP["command"]})
        assert (await waits(script, session, "tool"))["tool"] == "bash"
        (project / "go").touch()


async def test_a_database_that_takes_nothing(script: Script, shared: Shared) -> None:
    gate = anyio.Event()
    session = await begun(script, turn(Wait(gate), "Said."))
    await waits(script, session, "model")
    shared.database.read("PRAGMA query_only = ON")
    assert (await script.client.post("/session", json={})).status_code == 503
    wait = await waits(script, session, "storage")
    assert (wait["error"], wait["since"] > 0, "cannot be written" in wait["message"]) == (
        "StorageReadOnlyError", True, True,
    )  # fmt: skip
    shared.database.read("PRAGMA query_only = OFF")
    assert (await script.client.post("/session", json={})).status_code == 200
    types = [wait["type"] for wait in (await script.get(f"/session/{session}/why"))["waits"]]
    assert types == ["model"]
    gate.set()


async def test_an_abort_that_winds_down(script: Script, project: Path) -> None:
    """A command that does not listen to the first signal."""
    stubborn = {**LOOP, "command": "trap '' TERM; touch began; " + LOOP["command"]}
    session = await begun(script, turn(Call("bash", stubborn)))
    while not (project / "began").exists():
        await anyio.lowlevel.checkpoint()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.post, session, "abort")
        wait = await waits(script, session, "stopping")
        assert wait["until"] > wait["since"]
        (project / "go").touch()
