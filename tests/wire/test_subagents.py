"""Subagents: the ``task`` tool, subtasks of prompts, and what becomes of them when they are stopped."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.permission.schema import PermissionAsked, PermissionReplied
from opencode.session.schema import MessagePartDelta, SessionCreated, SessionErrored, SessionIdle
from tests.support.scripted_model.script import Call, Fail, Sleep, Tokens, Wait, turn
from tests.wire.delegating import Script, begins, delegates, scripted

FOR_EVER = Sleep(60)
NO_TASK = {"permission": "task", "pattern": "*", "action": "deny"}
NO_TODOS = {"permission": "todowrite", "pattern": "*", "action": "deny"}
SUBTASK = {"type": "subtask", "prompt": "below: look", "description": "Look", "agent": "general"}
NESTED = {"agent": {"middle": {"mode": "subagent", "permission": {"task": "allow"}}}, "subagent_depth": 2}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def result(task: str, text: str) -> str:
    return f'<task id="{task}" state="completed">\n<task_result>\n{text}\n</task_result>\n</task>'


async def test_a_subagent_works_in_a_child_session_and_its_last_words_come_back(script: Script, project: Path) -> None:
    """Source: golden trace ``tools_task``."""
    script.model.push_for(begins("below"), turn(Call("read", {"filePath": "hello.txt"}, id="call_r")), "It says hello.")
    script.model.push(delegates("below: look"), "So it is.")
    session = await script.session()
    answer = await script.prompt(session, "Delegate")
    assert answer["parts"][1]["text"] == "So it is."
    child = await script.child(session)
    assert (child["title"], child["agent"], child["permission"]) == (
        "Look around (@general subagent)",
        "general",
        [NO_TASK],
    )
    assert child["model"] == {"id": "m1", "providerID": "scripted", "variant": "default"}
    [state] = await script.calls(session)
    [read] = [part for message in await script.messages(child["id"]) for part in message["parts"] if "callID" in part]
    assert (state["status"], state["title"], state["output"]) == (
        "completed",
        "Look around",
        result(child["id"], "It says hello."),
    )
    assert state["metadata"] == {
        "parentSessionId": session,
        "sessionId": child["id"],
        "model": {"modelID": "m1", "providerID": "scripted"},
        "summary": [{"id": read["id"], "tool": "read", "state": {"status": "completed", "title": "hello.txt"}}],
        "truncated": False,
    }
    [child_request, _] = [request for request in script.model.turns if begins("below")(request)]
    assert child_request.headers["x-parent-session-id"] == session
    offered = [tool["function"]["name"] for tool in child_request.body["tools"]]
    assert offered == ["bash", "edit", "glob", "grep", "read", "skill", "webfetch", "write"]


async def test_clients_hear_of_the_child_while_it_works(script: Script) -> None:
    gate, reached = anyio.Event(), anyio.Event()
    script.model.push_for(begins("below"), turn(Wait(gate, reached), "Done."))
    script.model.push(delegates("below"), "Fine.")
    session = await script.session()
    await script.post(session, "prompt_async", {"parts": [{"type": "text", "text": "Go"}]}, status=204)
    with anyio.fail_after(10):
        await reached.wait()
    child = (await script.child(session))["id"]
    assert (await script.get("/session/status")).keys() == {session, child}
    [state] = await script.calls(session)
    assert (state["status"], state["title"]) == ("running", "Look around")
    assert state["metadata"] == {
        "parentSessionId": session,
        "sessionId": child,
        "model": {"modelID": "m1", "providerID": "scripted"},
    }
    gate.set()
    await script.until(SessionIdle, 2)


async def test_subagents_run_side_by_side(script: Script) -> None:
    """Each waits until the other has been reached. Source: golden trace ``tools_task_parallel``."""
    left, right = anyio.Event(), anyio.Event()
    script.model.push_for(begins("to the left"), turn(Wait(right, reached=left), "Left."))
    script.model.push_for(begins("to the right"), turn(Wait(left, reached=right), "Right."))
    calls = [delegates("to the left", id="call_l").ops[0], delegates("to the right", "explore", id="call_r").ops[0]]
    script.model.push(turn(*calls), "Both are back.")
    session = await script.session()
    with anyio.fail_after(10):
        await script.prompt(session, "Delegate twice")
    children = await script.get(f"/session/{session}/children")
    assert [child["permission"] for child in children] == [[NO_TASK], [NO_TODOS, NO_TASK]]
    outputs = [state["output"] for state in await script.calls(session)]
    assert outputs == [result(children[0]["id"], "Left."), result(children[1]["id"], "Right.")]


async def test_a_task_is_resumed_with_what_it_knows(script: Script) -> None:
    script.model.push_for(begins("below"), "First.", "Second.")
    session = await script.session()
    script.model.push(delegates("below one"), "Good.")
    await script.prompt(session, "Delegate")
    child = (await script.child(session))["id"]
    script.model.push(delegates("below two", task_id=child, id="call_2"), "Better.")
    await script.prompt(session, "Again")
    assert (await script.child(session))["id"] == child
    assert (await script.calls(session))[1]["output"] == result(child, "Second.")
    assert script.sent("below")[-1] == ["below one", "First.", "below two"]


async def test_a_task_cannot_be_resumed_from_within_itself(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, **NESTED) as script:
        script.model.push_for(begins("below"), "I am here.")
        script.model.push(delegates("below", "middle"), "Good.")
        session = await script.session()
        await script.prompt(session, "Delegate")
        child = (await script.child(session))["id"]
        script.model.push_for(begins("below"), delegates("and again", task_id=child, id="call_2"), "I see.")
        script.model.push(delegates("go on", "middle", task_id=child, id="call_3"), "Good.")
        await script.prompt(session, "Go on")
        [state] = await script.calls(child)
        assert state["error"] == f"Task {child} waits for this very call: start a new one, without `task_id`"


async def test_a_conversation_of_the_user_is_no_task_to_go_on_with(script: Script) -> None:
    other = await script.session()
    script.model.push(delegates("below", task_id=other), "I see.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    [state] = await script.calls(session)
    assert state["error"] == f"{other} is no task, but a conversation of the user: leave out `task_id`"
    assert await script.messages(other) == []


async def test_an_unknown_task_starts_anew(script: Script) -> None:
    script.model.push_for(begins("below"), "Begun.")
    script.model.push(delegates("below", task_id="ses_gone"), "I see.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    assert (await script.calls(session))[0]["output"] == result((await script.child(session))["id"], "Begun.")


@pytest.mark.parametrize("agent", ["nobody", "build", "title"])
async def test_only_subagents_are_called_by_models(script: Script, agent: str) -> None:
    script.model.push(delegates("below", agent), "I see.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    [state] = await script.calls(session)
    expected = f"Unknown agent type: {agent} is not a valid agent type. Valid are: explore, general"
    assert (state["status"], state["error"]) == ("error", expected)
    assert await script.get(f"/session/{session}/children") == []


async def test_a_subagent_that_fails_names_its_task(script: Script) -> None:
    script.model.push_for(begins("below"), turn(Fail(400, "no such thing")))
    script.model.push(delegates("below"), "A pity.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    child = (await script.child(session))["id"]
    [state] = await script.calls(session)
    assert state["error"].startswith(f"Task {child} did not finish: ")
    assert "no such thing" in state["error"]
    assert state["metadata"]["sessionId"] == child


async def test_files_come_along_when_the_subagent_may_read_them(script: Script, project: Path) -> None:
    """A model wrote the prompt: it cannot read through it what it would have to ask for."""
    (project / ".env").write_text("SECRET=1")
    outside = project.parent / "outside.txt"
    outside.write_text("outside")
    (project / "link.txt").symlink_to(outside)
    script.model.push(delegates("below @hello.txt @.env @../outside.txt @link.txt @explore"), "Good.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    [prompt, *_] = await script.messages((await script.child(session))["id"])
    named = [part.get("filename") for part in prompt["parts"] if part["type"] != "text"]
    assert named == ["hello.txt"]


# --- permissions --------------------------------------------------------------------------------------------------


async def test_the_parents_prohibitions_hold_for_the_child(script: Script) -> None:
    rules = [
        {"permission": "bash", "pattern": "*", "action": "deny"},
        {"permission": "edit", "pattern": "*", "action": "allow"},
        {"permission": "external_directory", "pattern": "/x/*", "action": "allow"},
    ]
    script.model.push(delegates("below"), "Good.")
    session = await script.session(permission=rules)
    await script.prompt(session, "Delegate")
    assert (await script.child(session))["permission"] == [rules[0], rules[2], NO_TASK]


async def test_asks_of_a_subagent_carry_its_session_and_go_with_it(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, permission={"bash": "ask"}) as script:
        script.model.push_for(begins("below"), turn(Call("bash", {"command": "true"}, id="call_b")))
        script.model.push(delegates("below"))
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Delegate")
            [asked] = await script.until(PermissionAsked)
            assert asked.session_id == (await script.child(session))["id"]
            await script.post(session, "abort")
        assert await script.get("/permission") == []
        assert [event.reply for event in script.heard(PermissionReplied)] == ["reject"]


async def test_calling_a_subagent_is_asked_for_unless_the_user_named_it(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, permission={"task": "ask"}) as script:
        script.model.push_for(begins("below"), "One.", "Two.")
        script.model.push(delegates("below"), "Good.")
        session = await script.session()
        await script.prompt(session, "@general look", {"type": "agent", "name": "general"})
        assert script.heard(PermissionAsked) == []
        script.model.push(delegates("below", id="call_2"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Delegate")
            [asked] = await script.until(PermissionAsked)
            assert (asked.permission, asked.patterns, asked.always) == ("task", ["general"], ["*"])
            assert asked.metadata == {"description": "Look around", "subagent_type": "general"}
            await script.client.post(f"/permission/{asked.id}/reply", json={"reply": "reject"})


async def test_subagents_have_no_subagents_beyond_the_depth(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, **{**NESTED, "subagent_depth": 1}) as script:
        script.model.push_for(begins("below"), delegates("deeper", id="call_d"), "I did it myself.")
        script.model.push(delegates("below", "middle"), "Good.")
        session = await script.session()
        await script.prompt(session, "Delegate")
        [state] = await script.calls((await script.child(session))["id"])
        assert state["error"].startswith("Subagents may be nested 1 deep here")


async def test_an_ask_two_levels_down_is_answered_and_all_go_on(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, permission={"bash": "ask"}, **NESTED) as script:
        script.model.push_for(begins("deeper"), turn(Call("bash", {"command": "echo up"}, id="call_b")), "It says up.")
        script.model.push_for(begins("below"), delegates("deeper", id="call_d"), "Up.")
        script.model.push(delegates("below", "middle"), "Good.")
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Delegate")
            [asked] = await script.until(PermissionAsked)
            await script.client.post(f"/permission/{asked.id}/reply", json={"reply": "once"})
        middle = (await script.child(session))["id"]
        deepest = (await script.child(middle))["id"]
        assert asked.session_id == deepest
        assert [state["output"] for state in await script.calls(middle)] == [result(deepest, "It says up.")]
        assert [state["output"] for state in await script.calls(session)] == [result(middle, "Up.")]


async def test_a_refusal_two_levels_down_fails_the_tasks_above(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    """Nobody said what to do instead, so the subagent ends; its callers hear why and decide."""
    async with scripted(client, shared, project, permission={"bash": "ask"}, **NESTED) as script:
        script.model.push_for(begins("deeper"), turn(Call("bash", {"command": "true"}, id="call_b")))
        script.model.push_for(begins("below"), delegates("deeper", id="call_d"), "It was refused.")
        script.model.push(delegates("below", "middle"), "I see.")
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Delegate")
            [asked] = await script.until(PermissionAsked)
            await script.client.post(f"/permission/{asked.id}/reply", json={"reply": "reject"})
        middle = (await script.child(session))["id"]
        [state] = await script.calls(middle)
        assert (state["status"], "did not finish: The user rejected permission" in state["error"]) == ("error", True)
        assert [state["output"] for state in await script.calls(session)] == [result(middle, "It was refused.")]


async def test_what_a_subagent_uses_counts_for_its_own_session(script: Script) -> None:
    """Source: golden trace ``tools_task``."""
    script.model.push_for(begins("below"), turn("Done.", tokens=Tokens(input=7_000, output=70)))
    script.model.push(delegates("below"), "Good.")
    session = await script.session()
    await script.prompt(session, "Delegate")
    own = (await script.get(f"/session/{session}"))["tokens"]
    below = (await script.child(session))["tokens"]
    assert [(used["input"], used["output"]) for used in (own, below)] == [(200, 20), (7_000, 70)]


# --- stopping -----------------------------------------------------------------------------------------------------


async def test_stopping_a_session_stops_what_it_delegated(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    """Three levels within two seconds. Source: golden trace ``abort_subtask``."""
    async with scripted(client, shared, project, **NESTED) as script:
        script.model.push_for(begins("deeper"), turn("The first half, ", FOR_EVER))
        script.model.push_for(begins("below"), delegates("deeper", id="call_d"))
        script.model.push(delegates("below", "middle"))
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Delegate")
            await script.until(MessagePartDelta)
            with anyio.fail_after(2):
                await script.post(session, "abort")
            assert await script.get("/session/status") == {}
        middle = (await script.child(session))["id"]
        deepest = (await script.child(middle))["id"]
        for parent, child in ((session, middle), (middle, deepest)):
            [state] = await script.calls(parent)
            assert (state["status"], state["error"]) == ("error", "Task cancelled")
            assert state["metadata"]["sessionId"] == child
        for stopped in (session, middle, deepest):
            assert (await script.messages(stopped))[-1]["info"]["error"]["name"] == "MessageAbortedError"
        assert (await script.messages(deepest))[-1]["parts"][-1]["text"] == "The first half, "
        assert [event.session_id for event in script.heard(SessionErrored)] == [deepest, middle, session]
        assert [request.outcome for request in script.model.turns if begins("deeper")(request)] == ["left"]


async def test_closing_the_directory_stops_subagents_and_keeps_what_they_said(script: Script) -> None:
    script.model.push_for(begins("below"), turn("The first half, ", FOR_EVER))
    script.model.push(delegates("below"))
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.prompt, session, "Delegate")
        await script.until(MessagePartDelta)
        with anyio.fail_after(4):
            assert (await script.client.post("/instance/dispose")).json() is True
    child = (await script.child(session))["id"]
    assert (await script.messages(child))[-1]["parts"][-1]["text"] == "The first half, "
    for stopped in (session, child):
        assert (await script.messages(stopped))[-1]["info"]["error"]["name"] == "MessageAbortedError"
    [state] = await script.calls(session)
    assert (state["error"], await script.get("/session/status")) == ("Task cancelled", {})


async def test_stopping_a_subagent_alone_lets_its_caller_go_on(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Well, ", FOR_EVER))
    script.model.push(delegates("below"), "Then without.")
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.prompt, session, "Delegate")
        await script.until(MessagePartDelta)
        child = (await script.child(session))["id"]
        await script.post(child, "abort")
    [state] = await script.calls(session)
    assert state["error"].startswith(f"Task {child} did not finish: Aborted")
    assert (await script.messages(session))[-1]["parts"][1]["text"] == "Then without."


async def test_deleting_a_session_stops_and_removes_its_subagents(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Well, ", FOR_EVER))
    script.model.push(delegates("below"), "Never said.")
    session = await script.session()
    await script.post(session, "prompt_async", {"parts": [{"type": "text", "text": "Go"}]}, status=204)
    await script.until(MessagePartDelta)
    with anyio.fail_after(2):
        assert (await script.client.delete(f"/session/{session}")).json() is True
    assert (await script.get("/session/status"), await script.get("/session")) == ({}, [])
    assert len(script.sent("Go")) == 1


# --- subtasks of prompts ------------------------------------------------------------------------------------------


async def test_a_subtask_runs_at_once_and_the_model_takes_up_its_result(script: Script) -> None:
    """Source: golden trace ``parts_subtask``."""
    script.model.push_for(begins("below"), "Seen.")
    script.model.push("I take it from here.")
    session = await script.session()
    answer = await script.prompt(session, SUBTASK)
    assert answer["parts"][1]["text"] == "I take it from here."
    child = await script.child(session)
    [user, call, _] = await script.messages(session)
    [part] = call["parts"]
    assert (call["info"]["agent"], call["info"]["finish"], call["info"]["parentID"]) == (
        "general",
        "tool-calls",
        user["info"]["id"],
    )
    assert part["state"]["input"] == {
        "prompt": "below: look",
        "description": "Look",
        "subagent_type": "general",
    }
    assert (part["state"]["status"], part["state"]["output"]) == ("completed", result(child["id"], "Seen."))
    assert part["state"]["metadata"] == {
        "parentSessionId": session,
        "sessionId": child["id"],
        "model": {"modelID": "m1", "providerID": "scripted"},
        "truncated": False,
    }


async def test_every_subtask_of_a_prompt_runs_in_order(script: Script) -> None:
    script.model.push_for(begins("below"), "Seen.")
    script.model.push_for(begins("beyond"), "Seen too.")
    session = await script.session()
    await script.prompt(session, "See:", SUBTASK, {**SUBTASK, "prompt": "beyond", "agent": "explore"})
    first, second = await script.get(f"/session/{session}/children")
    assert [state["output"] for state in await script.calls(session)] == [
        result(first["id"], "Seen."),
        result(second["id"], "Seen too."),
    ]
    await script.prompt(session, "And?")
    assert len(await script.calls(session)) == 2


async def test_a_subtask_for_an_unknown_agent_is_refused(script: Script) -> None:
    session = await script.session()
    answer = await script.post(session, "message", {"parts": [{**SUBTASK, "agent": "nobody"}]}, status=400)
    assert answer["data"]["message"].startswith('Agent not found: "nobody". Available agents: ')
    assert await script.messages(session) == []
    assert [event.session_id for event in script.heard(SessionErrored)] == [session]


async def test_a_subtask_that_fails_is_told_to_the_model(script: Script) -> None:
    session = await script.session()
    script.model.push("So be it.")
    answer = await script.prompt(session, {**SUBTASK, "model": {"providerID": "scripted", "modelID": "absent"}})
    assert answer["parts"][1]["text"] == "So be it."
    [state] = await script.calls(session)
    assert state["error"].startswith("Tool execution failed: Task ses_")
    assert "scripted/absent" in state["error"]


async def test_a_stopped_subtask_is_not_tried_again(script: Script) -> None:
    script.model.push_for(begins("below"), turn("Well, ", FOR_EVER))
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.prompt, session, SUBTASK)
        await script.until(MessagePartDelta)
        with anyio.fail_after(2):
            await script.post(session, "abort")
    [state] = await script.calls(session)
    [_, call] = await script.messages(session)
    assert (state["error"], call["info"]["error"]["name"]) == ("Cancelled", "MessageAbortedError")
    assert await script.get("/session/status") == {}
    script.model.push("Something else, then.")
    assert (await script.prompt(session, "Something else"))["parts"][1]["text"] == "Something else, then."
    assert len(script.heard(SessionCreated)) == 2
