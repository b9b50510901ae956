"""Turns of several steps: what the model is asked, and when it is asked no more."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.core.ids import ModelID
from opencode.core.wire import UNSET
from opencode.permission.schema import PermissionRule
from opencode.provider.errors import ProviderInitFailed, ProviderModelNotFound
from opencode.provider.schema import ModelRef
from opencode.session.inputs import SummarizeInput
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    MessageWithParts,
    SessionErrored,
    SessionStatusChanged,
    StatusIdle,
    StepStartPart,
    SubtaskPartInput,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    UnknownError,
    UserMessage,
)
from tests.support.opened_instance import M1, Opened, open_instance_in, said
from tests.support.scripted_model.script import Call, Fail, Tokens, Wait, turn
from tests.support.scripted_model.server import RecordedRequest

NOWHERE = ModelRef(provider_id=M1.provider_id, model_id=ModelID("m9"))
SUMMARY = "## Goal\nTo say hello."
AGENTS = {"short": {"mode": "primary", "steps": 2}, "own": {"mode": "primary", "prompt": "You are my own."}}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path, agent=AGENTS) as opened:
            (opened.instance.directory / "hello.txt").write_text("hello from the file\n")
            yield opened


def reads(id: str = "call_1") -> Any:
    return turn(Call("read", {"filePath": "hello.txt"}, id=id))


def answers(messages: list[MessageWithParts]) -> list[AssistantMessage]:
    return [message.info for message in messages if isinstance(message.info, AssistantMessage)]


def roles(request: RecordedRequest) -> list[str]:
    return [message["role"] for message in request.body["messages"] if message["role"] != "system"]


def tools(request: RecordedRequest) -> list[str]:
    return [tool["function"]["name"] for tool in request.body.get("tools", [])]


async def test_the_model_is_asked_again_with_the_results_of_its_calls_until_it_answers(opened: Opened) -> None:
    opened.model.push(turn("Let me look.", Call("read", {"filePath": "hello.txt"})), "It says hello.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("What does it say?"))
    messages = await opened.messages(session)
    prompt, first, second = messages
    assert [info.finish for info in answers(messages)] == ["tool-calls", "stop"]
    assert {info.parent_id for info in answers(messages)} == {prompt.info.id}
    assert prompt.info.id < first.info.id < second.info.id
    [call] = [part for part in first.parts if isinstance(part, ToolPart)]
    assert isinstance(call.state, ToolStateCompleted)
    assert "hello from the file" in call.state.output
    assert [roles(request) for request in opened.model.turns] == [["user"], ["user", "assistant", "tool"]]
    assert "hello from the file" in opened.model.turns[1].raw.decode()


async def test_an_answer_says_who_gave_it_where_and_as_what(opened: Opened) -> None:
    opened.model.push("Hello.")
    session, directory = await opened.session(), str(opened.instance.directory)
    await opened.prompts.prompt(session, said("Hi", agent="plan", variant="high"))
    [info] = answers(await opened.messages(session))
    assert (info.agent, info.mode, info.provider_id, info.model_id) == ("plan", "plan", "scripted", "m1")
    assert (info.path.cwd, info.variant, info.summary) == (directory, "high", UNSET)
    assert info.path.root == str(opened.instance.worktree)


async def test_the_agents_own_words_and_the_prompts_go_to_the_model(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.prompt(session, said("Hi", agent="own", system="Be short."))
    system = opened.model.turns[0].system_text
    assert "You are my own." in system
    assert "Be short." in system


async def test_an_agent_that_is_out_of_steps_is_told_to_end_in_words(opened: Opened) -> None:
    opened.model.push(reads(), "That was all.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Go", agent="short"))
    first, second = opened.model.turns
    assert "tool_choice" not in first.body or first.body["tool_choice"] == "auto"
    assert second.body["tool_choice"] == "none"
    assert len(second.body["messages"]) == len(first.body["messages"]) + 3  # the call, its result, the last word


@pytest.mark.parametrize(("reasons", "role"), [(False, "assistant"), (True, "user")])
async def test_a_model_that_thinks_hears_from_its_user_that_its_steps_are_used_up(
    tmp_path: Path, reasons: bool, role: str
) -> None:
    models = {"m1": {"name": "M1", "tool_call": True, "reasoning": reasons}}
    with anyio.fail_after(30):
        async with open_instance_in(
            tmp_path, models=models, agent={"short": {"mode": "primary", "steps": 1}}
        ) as opened:
            await opened.prompts.prompt(await opened.session(), said("Go", agent="short"))
            assert opened.model.turns[0].body["messages"][-1]["role"] == role


async def test_a_model_that_stands_in_has_no_variant_of_the_one_that_was_asked_for(tmp_path: Path) -> None:
    models = {"m2": {"name": "M2", "tool_call": True}}
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path, models=models, model_fallback=["scripted/m2"]) as opened:
            opened.model.push(turn(Fail(401, "bad key")), turn(Call("glob", {"pattern": "*"})), "Done.")
            session = await opened.session()
            await opened.prompts.prompt(session, said("Go", variant="high"))
            steps = answers(await opened.messages(session))
    assert [(info.model_id, info.variant) for info in steps] == [("m2", UNSET), ("m2", UNSET)]


async def test_tools_that_a_prompt_switches_off_are_not_offered(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.prompt(session, said("Go", tools={"bash": False}))
    offered = tools(opened.model.turns[0])
    assert "read" in offered
    assert "bash" not in offered


async def test_a_tool_call_is_checked_by_the_rules_of_agent_and_session(opened: Opened) -> None:
    opened.model.push(turn(Call("read", {"filePath": "hello.txt"})), "I may not.")
    session = await opened.session(permission=[PermissionRule(permission="read", pattern="*", action="ask")])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.prompts.prompt, session, said("Go"))
        while not (waiting := opened.instance.permissions.pending()):
            await anyio.lowlevel.checkpoint()
        [request] = waiting
        assert (request.session_id, request.permission, request.patterns) == (session, "read", ["hello.txt"])
        assert request.tool is not UNSET
        assert request.tool.call_id == "call_1"
        assert request.tool.message_id == (await opened.messages(session))[1].info.id
        await opened.prompts.abort(session)


async def test_the_same_call_three_times_in_a_row_asks_a_person(opened: Opened) -> None:
    calls = [Call("read", {"filePath": "hello.txt"}, id=f"call_{n}") for n in range(3)]
    opened.model.push(turn(*calls), "Fine.")
    session = await opened.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.prompts.prompt, session, said("Go"))
        while not (waiting := opened.instance.permissions.pending()):
            await anyio.lowlevel.checkpoint()
        [request] = waiting
        assert (request.permission, request.patterns, request.always) == ("doom_loop", ["read"], ["read"])
        assert request.metadata == {"tool": "read", "input": {"filePath": "hello.txt"}}
        await opened.prompts.abort(session)


async def test_a_model_that_is_not_there_is_an_error_for_the_caller_and_told_to_all(opened: Opened) -> None:
    session = await opened.session()
    with pytest.raises(ProviderModelNotFound) as raised:
        await opened.prompts.prompt(session, said("Hi", model=NOWHERE))
    [told] = opened.heard(SessionErrored)
    assert isinstance(told.error, UnknownError)
    assert (told.session_id, told.error.data.message) == (session, raised.value.message)
    assert opened.heard(SessionStatusChanged)[-1].status == StatusIdle()
    assert answers(await opened.messages(session)) == []


async def test_a_prompt_that_comes_during_an_answer_is_answered_too_and_by_the_same_run(opened: Opened) -> None:
    gate, reached = anyio.Event(), anyio.Event()
    opened.model.push(turn("One ", Wait(gate, reached), "two."), "Three.")
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("First"))
    await reached.wait()
    await opened.prompts.prompt_async(session, said("Second"))
    gate.set()
    await opened.rests()
    texts = await opened.texts(session)
    assert [text for text in texts if text[0] in ("One two.", "Three.")] == [["One two."], ["Three."]]
    assert len(opened.model.turns) == 2


async def test_a_session_without_anything_to_answer_rests_at_once(opened: Opened) -> None:
    opened.model.push("Hello.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Hi"))
    opened.told.clear()
    await opened.prompts.resume(session)
    await opened.rests()
    assert len(opened.model.turns) == 1


async def test_a_session_with_its_default_title_is_named_once(opened: Opened) -> None:
    session = await opened.session(title=UNSET)
    before = (await opened.sessions.get(session)).title
    assert before.startswith("New session - ")
    await opened.prompts.prompt(session, said("Hi"))
    while (await opened.sessions.get(session)).title == before:
        await anyio.lowlevel.checkpoint()
    assert (await opened.sessions.get(session)).title == "A scripted title"
    await opened.prompts.prompt(session, said("Again"))
    assert len([request for request in opened.model.requests if request.is_title]) == 1


# --- what is not a step of the model ---------------------------------------------------------------------------------


def is_summary(request: RecordedRequest) -> bool:
    return not request.is_title and "## Discoveries" in request.raw.decode()


async def test_a_summary_is_an_answer_of_its_own_kind_made_without_tools(opened: Opened) -> None:
    opened.model.push("Hello.")
    opened.model.push_for(is_summary, SUMMARY)
    session = await opened.session()
    await opened.prompts.prompt(session, said("Earlier words"))
    await opened.prompts.summarize(session, SummarizeInput(provider_id=M1.provider_id, model_id=M1.model_id))
    _, _, marker, summary = await opened.messages(session)
    assert isinstance(marker.info, UserMessage)
    [part] = marker.parts
    assert isinstance(part, CompactionPart)
    info = summary.info
    assert isinstance(info, AssistantMessage)
    assert (info.agent, info.mode, info.summary, info.finish) == ("compaction", "compaction", True, "stop")
    assert (info.parent_id, info.model_id, info.id > marker.info.id) == (marker.info.id, "m1", True)
    assert (info.path.cwd, info.error, info.variant) == (str(opened.instance.directory), UNSET, UNSET)
    assert [part.text for part in summary.parts if isinstance(part, TextPart)] == [SUMMARY]
    request = opened.model.turns[-1]
    assert (tools(request), roles(request)) == ([], ["user"])
    assert opened.instance.agents.get("compaction").prompt == request.system_text
    assert "Earlier words" in request.raw.decode()


async def test_a_model_that_calls_a_tool_instead_of_summing_up_runs_none(opened: Opened) -> None:
    opened.model.push("Hello.")
    opened.model.push_for(is_summary, turn(Call("bash", {"command": "touch made", "description": "x"})))
    session = await opened.session()
    await opened.prompts.prompt(session, said("Earlier words"))
    await opened.prompts.summarize(session, SummarizeInput(provider_id=M1.provider_id, model_id=M1.model_id))
    assert not (opened.instance.directory / "made").exists()
    assert opened.prompts.statuses() == {}


async def test_a_full_history_is_condensed_before_the_work_goes_on(opened: Opened) -> None:
    opened.model.push(turn(Call("read", {"filePath": "hello.txt"}), tokens=Tokens(input=95_000)), "I went on.")
    opened.model.push_for(is_summary, SUMMARY)
    session = await opened.session()
    await opened.prompts.prompt(session, said("Long words"))
    messages = await opened.messages(session)
    [marker] = [p for m in messages for p in m.parts if isinstance(p, CompactionPart)]
    assert marker.auto is True
    assert [info.summary for info in answers(messages)] == [UNSET, True, UNSET]
    assert (await opened.texts(session))[-1] == ["I went on."]
    assert "## Goal" in json.dumps(opened.model.turns[-1].body)


async def test_a_subtask_is_done_by_its_agent_and_its_result_taken_up(opened: Opened) -> None:
    opened.model.push("The child's result.", "Taken up.")
    session = await opened.session()
    task = SubtaskPartInput(prompt="Look around", description="looks", agent="general")
    await opened.prompts.prompt(session, said("Delegate", task))
    [child] = await opened.sessions.children(session)
    assert (child.parent_id, (await opened.texts(child.id))[-1]) == (session, ["The child's result."])
    messages = await opened.messages(session)
    [call] = [p for m in messages for p in m.parts if isinstance(p, ToolPart)]
    assert isinstance(call.state, ToolStateCompleted)
    assert "The child's result." in call.state.output
    assert (await opened.texts(session))[-1] == ["Taken up."]


async def test_every_step_begins_with_its_start(opened: Opened) -> None:
    opened.model.push(reads(), "Read.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Go"))
    messages = await opened.messages(session)
    assert [type(m.parts[0]) for m in messages[1:]] == [StepStartPart, StepStartPart]


def written_down(root: Path) -> list[str]:
    """What the database says of runs, for the server after this one."""
    [path] = root.rglob("opencode-server.db")
    with closing(sqlite3.connect(path)) as database:
        return [kind for (kind,) in database.execute("SELECT kind FROM run")]


async def test_what_runs_is_written_down_as_long_as_it_runs(opened: Opened, tmp_path: Path) -> None:
    gate, reached = anyio.Event(), anyio.Event()
    opened.model.push(turn("Begun ", Wait(gate, reached), "and ended."))
    session = await opened.session()
    assert written_down(tmp_path) == []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.prompts.prompt, session, said("Go"))
        await reached.wait()
        assert written_down(tmp_path) == ["loop"]
        gate.set()
    assert written_down(tmp_path) == []


async def test_an_answer_whose_model_cannot_even_be_asked_is_completed_with_the_reason(tmp_path: Path) -> None:
    models = {"odd": {"name": "Odd", "provider": {"npm": "@ai-sdk/nothing"}}}
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path, models=models) as opened:
            session = await opened.session()
            odd = ModelRef(provider_id=M1.provider_id, model_id=ModelID("odd"))
            with pytest.raises(ProviderInitFailed):
                await opened.prompts.prompt(session, said("Go", model=odd))
            [answer] = answers(await opened.messages(session))
            assert answer.error is not UNSET
            assert answer.time.completed is not UNSET
            assert [event.error for event in opened.heard(SessionErrored)] == [answer.error]
            assert opened.prompts.statuses() == {}
            assert written_down(tmp_path) == []
