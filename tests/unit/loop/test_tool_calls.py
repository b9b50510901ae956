"""The calls of one answer: what is stored while they run, and how each of them ends."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from opencode.core.rejection import Rejected, UnansweredFailure
from opencode.core.tasks import task_group
from opencode.core.wire import UNSET
from opencode.loop.tool_calls import ToolCalls
from opencode.permission.errors import PermissionCorrected, PermissionRejected
from opencode.provider.stream import ToolCall
from opencode.session.schema import (
    FilePart,
    MessagePartUpdated,
    SpanTime,
    StartTime,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    ToolTime,
)
from opencode.tool.builtin.invalid import InvalidTool
from opencode.tool.tool import Attachment, ToolContext, ToolError, ToolResult
from opencode.tool.wrapper import PARTIAL_RESULT
from tests.support.event_world import NOW
from tests.support.loop_world import Given, LoopWorld

DONE = ToolResult(title="Title", output="all of it", metadata={"truncated": False})


def call(name: str = "look", text: str = "x", *, id: str = "call_1", **more: Any) -> ToolCall:
    return ToolCall(call_id=id, name=name, input={"text": text}, **more)


async def give_all(params: Given, context: ToolContext) -> ToolResult:
    return DONE


async def run(calls: ToolCalls, *wanted: ToolCall) -> None:
    """Start the calls and wait for their ends."""
    async with task_group() as tasks:
        for one in wanted:
            await calls.start(one, tasks)


def states(place: LoopWorld) -> Sequence[object]:
    """What clients were told of the calls' states, in order."""
    return [event.part.state for event in place.heard(MessagePartUpdated)]


async def test_a_call_is_told_when_it_is_announced_started_and_done(place: LoopWorld) -> None:
    async def act(params: Given, context: ToolContext) -> ToolResult:
        assert (params.text, context.call_id) == ("x", "call_1")
        place.clock.now += 5
        return DONE

    calls = place.calls({"look": act})
    await calls.announce("call_1", "look")
    assert not calls.started
    await run(calls, call(metadata={"wire": {"id": 1}}))
    given = {"text": "x"}
    completed = ToolStateCompleted(
        input=given, output="all of it", title="Title", metadata={"truncated": False},
        time=ToolTime(start=NOW, end=NOW + 5),
    )  # fmt: skip
    assert states(place) == [
        ToolStatePending(),
        ToolStateRunning(input=given, time=StartTime(start=NOW)),
        completed,
    ]
    [part] = place.call_parts
    assert (part.call_id, part.tool, part.state, part.metadata) == ("call_1", "look", completed, {"wire": {"id": 1}})
    assert (part.session_id, part.message_id) == ("ses_1", "msg_2")
    assert (calls.started, calls.rejected) == (True, False)


async def test_a_call_without_announcement_is_announced_first(place: LoopWorld) -> None:
    await run(place.calls({"look": give_all}), call())
    assert [type(state) for state in states(place)] == [ToolStatePending, ToolStateRunning, ToolStateCompleted]
    assert {event.part.tool for event in place.heard(MessagePartUpdated)} == {"look"}
    assert place.call_parts[0].metadata is UNSET


async def test_what_a_tool_attaches_becomes_file_parts(place: LoopWorld) -> None:
    async def act(params: Given, context: ToolContext) -> ToolResult:
        files = [Attachment(mime="image/png", url="data:1", filename="a.png"), Attachment(mime="x/y", url="data:2")]
        return ToolResult(title="", output="", attachments=files)

    await run(place.calls({"look": act}), call())
    state = place.call_parts[0].state
    assert isinstance(state, ToolStateCompleted)
    assert isinstance(state.attachments, list)
    first, second = state.attachments
    assert (first.session_id, first.message_id, first.id < second.id) == ("ses_1", "msg_2", True)
    assert first == FilePart(
        id=first.id, session_id=first.session_id, message_id=first.message_id, mime="image/png", url="data:1",
        filename="a.png",
    )  # fmt: skip
    assert (second.mime, second.url, second.filename) == ("x/y", "data:2", UNSET)


class Nameless(Exception):
    """An error without words."""


@pytest.mark.parametrize(
    ("error", "told", "rejected"),
    [
        (ToolError("try another way"), "try another way", False),
        (ValueError("broken inside"), "broken inside", False),
        (Nameless(), "Nameless", False),
        (PermissionRejected(), str(PermissionRejected()), True),
        (PermissionCorrected("not like that"), str(PermissionCorrected("not like that")), False),
    ],
)
async def test_a_call_that_fails_says_why_and_keeps_what_it_showed(
    place: LoopWorld, error: Exception, told: str, rejected: bool
) -> None:
    async def act(params: Given, context: ToolContext) -> ToolResult:
        await context.report(title="Half way", metadata={"output": "half"})
        place.clock.now += 7
        raise error

    calls = place.calls({"look": act})
    await run(calls, call())
    assert place.call_parts[0].state == ToolStateError(
        input={"text": "x"}, error=told, metadata={"output": "half"}, time=SpanTime(start=NOW, end=NOW + 7)
    )
    assert calls.rejected is rejected


async def test_a_tool_asks_for_its_own_call(place: LoopWorld) -> None:
    asked: list[tuple[object, ...]] = []

    async def ask(part: ToolPart, permission: str, **wanted: Any) -> None:
        asked.append((part.call_id, permission, wanted))

    async def act(params: Given, context: ToolContext) -> ToolResult:
        await context.ask("bash", patterns=["ls"])
        return DONE

    await run(place.calls({"look": act}, ask=ask), call())
    assert asked == [("call_1", "bash", {"patterns": ["ls"]})]


async def test_a_call_that_is_repeated_too_often_is_asked_for_before_it_runs(place: LoopWorld) -> None:
    asked: list[ToolPart] = []

    async def ask(part: ToolPart) -> None:
        asked.append(part)
        raise PermissionRejected

    calls = place.calls({"look": give_all}, ask_doom_loop=ask)
    with pytest.raises(PermissionRejected):
        await run(calls, call(id="a"), call(id="b"), call(id="c"))
    assert [part.call_id for part in asked] == ["c"]
    assert isinstance(asked[0].state, ToolStateRunning)


async def test_an_answer_that_nobody_was_there_to_give_is_remembered_with_its_words(place: LoopWorld) -> None:
    refusal = UnansweredFailure("Nobody was there.")

    async def act(params: Given, context: ToolContext) -> ToolResult:
        raise refusal

    calls = place.calls({"look": act})
    await run(calls, call())
    assert (calls.unanswered, calls.rejected) == (refusal, True)


async def test_one_refusal_is_remembered_whatever_the_others_do(place: LoopWorld) -> None:
    refusals: list[Rejected] = [PermissionRejected(), PermissionCorrected("no")]

    async def act(params: Given, context: ToolContext) -> ToolResult:
        raise refusals.pop(0)

    calls = place.calls({"look": act})
    await run(calls, call(id="a"), call(id="b"))
    assert calls.rejected


async def test_a_running_call_shows_its_title_and_output_until_it_is_over(place: LoopWorld) -> None:
    late: list[Any] = []

    async def act(params: Given, context: ToolContext) -> ToolResult:
        late.append(context.report)
        await context.report(title="Looking")
        await context.report(metadata={"output": "some"})
        return DONE

    await run(place.calls({"look": act}), call())
    shown = [state for state in states(place) if isinstance(state, ToolStateRunning)]
    assert [(state.title, state.metadata) for state in shown] == [
        (UNSET, UNSET), ("Looking", UNSET), ("Looking", {"output": "some"}),
    ]  # fmt: skip
    told = len(place.told)
    await late[0](title="Too late")
    assert (len(place.told), place.call_parts[0].state) == (told, states(place)[-1])


async def test_calls_run_side_by_side(place: LoopWorld) -> None:
    both = [anyio.Event(), anyio.Event()]

    async def act(params: Given, context: ToolContext) -> ToolResult:
        mine, others = both if params.text == "a" else both[::-1]
        mine.set()
        await others.wait()
        return ToolResult(title="", output=params.text)

    with anyio.fail_after(10):
        await run(place.calls({"look": act}), call(text="a", id="a"), call(text="b", id="b"))
    assert [part.state.output for part in place.call_parts] == ["a", "b"]  # type: ignore[union-attr]


async def test_calls_that_got_the_same_id_from_the_model_are_kept_apart(place: LoopWorld) -> None:
    async def act(params: Given, context: ToolContext) -> ToolResult:
        return ToolResult(title="", output=params.text)

    calls = place.calls({"look": act})
    async with task_group() as tasks:
        for text in ("a", "b"):
            await calls.announce("same", "look")
            await calls.start(call(text=text, id="same"), tasks)
    first, second = place.call_parts
    assert first.call_id == "same" != second.call_id
    assert [first.state.output, second.state.output] == ["a", "b"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "given", "fault"),
    [
        (call("peek"), {"text": "x"}, "Model tried to call unavailable tool 'peek'. Available tools: invalid, look."),
        (call("look", fault="no JSON"), {"text": "x"}, "Invalid input for tool look: no JSON"),
    ],
)
async def test_a_call_that_cannot_be_is_answered_by_invalid(
    place: LoopWorld, wanted: ToolCall, given: dict[str, Any], fault: str
) -> None:
    await run(place.calls({"look": give_all, "invalid": InvalidTool()}), wanted)
    [part] = place.call_parts
    assert isinstance(part.state, ToolStateCompleted)
    assert (part.tool, part.state.input) == ("invalid", {"tool": wanted.name, "error": fault})
    assert part.state.output.endswith(fault)


async def test_a_name_in_other_letters_is_understood(place: LoopWorld) -> None:
    await run(place.calls({"look": give_all}), call("LOOK"))
    assert [(part.tool, type(part.state)) for part in place.call_parts] == [("look", ToolStateCompleted)]


async def test_arguments_that_are_no_object_are_shown_in_one_and_refused_by_the_tool(place: LoopWorld) -> None:
    await run(place.calls({"look": give_all}), ToolCall(call_id="c", name="look", input=[1, 2]))
    state = place.call_parts[0].state
    assert isinstance(state, ToolStateError)
    assert state.input == {"value": [1, 2]}


async def stopped_while(place: LoopWorld, calls: ToolCalls, started: anyio.Event) -> None:
    """Start a call, stop its task when it is at work, and settle what is open."""
    async with anyio.create_task_group() as tasks:
        await calls.start(call(), tasks)
        with anyio.fail_after(10):
            await started.wait()
        tasks.cancel_scope.cancel()
    place.clock.now += 3
    await calls.settle_open()


@pytest.mark.parametrize(
    ("partial", "end"),
    [
        (
            DONE,
            ToolStateCompleted(
                input={"text": "x"}, output="all of it", title="Title", metadata={"truncated": False},
                time=ToolTime(start=NOW, end=NOW + 3),
            ),
        ),
        (
            ToolError("say this"),
            ToolStateError(
                input={"text": "x"}, error="say this", metadata={"output": "some"},
                time=SpanTime(start=NOW, end=NOW + 3),
            ),
        ),
        (
            None,
            ToolStateError(
                input={"text": "x"}, error="Tool execution aborted", metadata={"output": "some", "interrupted": True},
                time=SpanTime(start=NOW, end=NOW + 3),
            ),
        ),
    ],
)  # fmt: skip
async def test_a_stopped_call_ends_with_what_its_tool_left_behind(
    place: LoopWorld, partial: object, end: object
) -> None:
    started = anyio.Event()

    async def act(params: Given, context: ToolContext) -> ToolResult:
        await context.report(metadata={"output": "some"})
        if partial is not None:
            context.extra[PARTIAL_RESULT] = partial
        started.set()
        await anyio.sleep_forever()
        return DONE

    await stopped_while(place, place.calls({"look": act}), started)
    assert place.call_parts[0].state == end


async def test_a_call_the_model_did_not_finish_writing_ends_as_interrupted(place: LoopWorld) -> None:
    calls = place.calls({"look": give_all})
    await calls.announce("call_1", "look")
    await run(calls, call(id="call_2"))
    ended = place.call_parts[1].state
    await calls.settle_open()
    assert [part.state for part in place.call_parts] == [
        ToolStateError(
            input={}, error="Tool execution aborted", metadata={"interrupted": True},
            time=SpanTime(start=NOW, end=NOW),
        ),
        ended,
    ]  # fmt: skip


async def test_what_is_forgotten_is_given_back_and_its_ids_are_free_again(place: LoopWorld) -> None:
    calls = place.calls({"look": give_all})
    await calls.announce("call_1", "look")
    given_up = calls.forget()
    assert [part.call_id for part in given_up] == ["call_1"]
    assert calls.forget() == []
    await calls.announce("call_1", "look")
    assert [part.call_id for part in place.call_parts] == ["call_1", "call_1"]
