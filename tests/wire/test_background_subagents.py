"""Subagents that work while their caller goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import MessagePartDelta, MessagePartUpdated, SessionIdle, TextPart
from tests.support.scripted_model.script import Fail, Sleep, Wait, turn
from tests.wire.delegating import Json, Script, begins, delegates, scripted

FOR_EVER = Sleep(60)


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OPENCODE_EXPERIMENTAL_BACKGROUND_SUBAGENTS": "1"}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def note(task: str, state: str, summary: str, text: str) -> str:
    return (
        f'<task id="{task}" state="{state}">\n<summary>{summary}</summary>\n'
        f"<task_result>\n{text}\n</task_result>\n</task>"
    )


def texts(message: Json) -> list[str]:
    return [part["text"] for part in message["parts"] if part["type"] == "text"]


async def test_the_caller_goes_on_and_hears_of_the_end(script: Script) -> None:
    gate = anyio.Event()
    script.model.push_for(begins("below"), turn(Wait(gate), "Sub result."))
    script.model.push(delegates("below", background=True), "Started.", "It came back.")
    session = await script.session()
    answer = await script.prompt(session, "Delegate", model={"providerID": "scripted", "modelID": "m2"})
    assert texts(answer) == ["Started."]
    child = (await script.child(session))["id"]
    [state] = await script.calls(session)
    assert state["output"].startswith(
        f'<task id="{child}" state="running">\n<summary>Background task started</summary>'
    )
    assert state["metadata"] == {
        "parentSessionId": session,
        "sessionId": child,
        "model": {"modelID": "m2", "providerID": "scripted"},
        "background": True,
        "jobId": child,
        "truncated": False,
    }
    assert (await script.get("/session/status")).keys() == {child}
    gate.set()
    await script.until(SessionIdle, 3)
    told, reaction = (await script.messages(session))[-2:]
    assert texts(told) == [note(child, "completed", "Background task completed: Look around", "Sub result.")]
    assert (told["parts"][0]["synthetic"], told["info"]["agent"]) == (True, "build")
    assert told["info"]["model"] == {"providerID": "scripted", "modelID": "m2"}
    assert texts(reaction) == ["It came back."]


async def test_a_busy_caller_hears_of_the_end_in_its_next_step(script: Script) -> None:
    ended, reached = anyio.Event(), anyio.Event()
    script.model.push_for(begins("below"), turn(Wait(reached), "Sub result."))
    script.model.push(delegates("below", background=True), turn(Wait(ended, reached), "Long answer."), "I see.")
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.prompt, session, "Delegate")
        await until_said(script, "Background task completed")
        ended.set()
    child = (await script.child(session))["id"]
    told = note(child, "completed", "Background task completed: Look around", "Sub result.")
    assert [texts(message) for message in (await script.messages(session))[2:]] == [
        ["Long answer."],
        [told],
        ["I see."],
    ]
    assert script.sent("Delegate")[-1][-1] == told


async def until_said(script: Script, text: str) -> str:
    """The first text of a part that holds this, as soon as there is one."""
    with anyio.fail_after(20):
        while True:
            told = script.heard(MessagePartUpdated)
            for event in told:
                if isinstance(event.part, TextPart) and text in event.part.text:
                    return event.part.text
            await script.until(MessagePartUpdated, len(told) + 1)


async def test_a_failure_is_told_too(script: Script) -> None:
    script.model.push_for(begins("below"), turn(Fail(400, "no such thing")))
    script.model.push(delegates("below", background=True), "Started.", "A pity.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    told = await until_said(script, "Background task failed")
    child = (await script.child(session))["id"]
    assert told.startswith(f'<task id="{child}" state="error">\n<summary>Background task failed: Look around</summary>')
    assert f"Task {child} did not finish: " in told
    assert "no such thing" in told


async def test_a_task_that_is_done_can_be_gone_on_with(script: Script) -> None:
    script.model.push_for(begins("below"), "First.", "Second.")
    script.model.push(delegates("below one", background=True), "Started.", "I see.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    await until_said(script, "I see.")
    child = (await script.child(session))["id"]
    script.model.push(delegates("below two", task_id=child, id="call_2"), "Good.")
    await script.prompt(session, "Go on")
    assert (await script.calls(session))[1]["output"].endswith("<task_result>\nSecond.\n</task_result>\n</task>")
    assert script.sent("below one")[-1] == ["below one", "First.", "below two"]


async def test_stopping_the_caller_stops_it_without_a_word(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Half ", FOR_EVER))
    script.model.push(delegates("below", background=True), "Started.", "never asked for")
    session = await script.session()
    await script.prompt(session, "Delegate")
    child = (await script.child(session))["id"]
    with anyio.fail_after(20):
        while all(event.session_id != child for event in script.heard(MessagePartDelta)):
            await script.until(MessagePartDelta, len(script.heard(MessagePartDelta)) + 1)
    await script.post(session, "abort")
    assert await script.get("/session/status") == {}
    assert (await script.messages(child))[-1]["info"]["error"]["name"] == "MessageAbortedError"
    assert texts((await script.messages(session))[-1]) == ["Started."]


async def test_deleting_the_caller_stops_and_removes_it(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Half ", FOR_EVER))
    script.model.push(delegates("below", background=True), "Started.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    child = (await script.child(session))["id"]
    assert (await script.client.delete(f"/session/{session}")).json() is True
    assert (await script.client.get(f"/session/{child}")).status_code == 404
    assert await script.get("/session/status") == {}


async def test_closing_the_directory_stops_it_without_a_word(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Half ", FOR_EVER))
    script.model.push(delegates("below", background=True), "Started.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    with anyio.fail_after(5):
        await script.client.post("/instance/dispose")
    assert texts((await script.messages(session))[-1]) == ["Started."]


async def test_models_are_told_that_they_can(script: Script) -> None:
    script.model.push("Fine.")
    await script.prompt(await script.session(), "Hello")
    [task] = [t["function"] for t in script.model.turns[0].body["tools"] if t["function"]["name"] == "task"]
    assert task["parameters"]["properties"]["background"]["type"] == "boolean"
    assert "`background: true`" in task["description"]


class TestWithoutTheSwitch:
    """The argument is unknown, and the call waits."""

    @pytest.fixture
    def environ(self, tmp_path: Path) -> dict[str, str]:
        return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}

    async def test_the_call_waits(self, script: Script) -> None:
        script.model.push_for(begins("below"), "Sub result.")
        script.model.push(delegates("below", background=True), "Good.")
        session = await script.session()
        await script.prompt(session, "Delegate")
        [state] = await script.calls(session)
        assert 'state="completed"' in state["output"]
        [task] = [t["function"] for t in script.model.turns[0].body["tools"] if t["function"]["name"] == "task"]
        assert "background" not in task["parameters"]["properties"]
