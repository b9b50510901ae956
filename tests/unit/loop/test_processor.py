"""One answer of a model becomes stored parts, however it goes."""

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.core.rejection import UnansweredFailure
from opencode.core.wire import UNSET, replace
from opencode.loop import failures
from opencode.loop.processor import IsFull, StepProcessor, StepResult
from opencode.permission.errors import PermissionRejected
from opencode.project.git import Git
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ModelCallError
from opencode.provider.stream import (
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    StepFinish,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    Usage,
)
from opencode.session.schema import (
    APIError,
    AssistantMessage,
    CacheTokens,
    ContentFilterError,
    ContextOverflowError,
    MessageAbortedError,
    MessagePartDelta,
    MessagePartRemoved,
    MessagePartUpdated,
    MessageText,
    MessageTime,
    MessageUpdated,
    MessageWithParts,
    PartTime,
    PatchPart,
    ReasoningPart,
    SessionErrored,
    SessionStatusChanged,
    SessionUpdated,
    StatusBusy,
    StatusRetry,
    StepFinishPart,
    StepStartPart,
    TextPart,
    Tokens,
    ToolStateCompleted,
    ToolStateError,
    UnknownError,
)
from opencode.snapshot.service import SnapshotService, open_snapshots
from opencode.tool.tool import ToolContext, ToolResult
from tests.support.event_world import NOW
from tests.support.loop_world import (
    ID,
    Given,
    LoopWorld,
    Scripted,
    ScriptedLanguageModel,
    finish,
    request,
    words,
)

DONE = ToolResult(title="", output="done", metadata={"truncated": False})
CALL = ToolCall(call_id="c", name="look", input={})


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pauses before another try that take no time worth mentioning; without chance in them."""
    monkeypatch.setattr(failures, "BASE_DELAY_MS", 4)
    monkeypatch.setattr(failures, "JITTER", 0)
    yield


async def step(
    place: LoopWorld, *answers: list[Scripted], tools: dict[str, Any] | None = None, is_full: IsFull | None = None
) -> StepResult:
    """Run one step to its end; every answer is asked for."""
    model = ScriptedLanguageModel(*answers)
    with anyio.fail_after(10):
        result = await StepProcessor(place.services, place.answer, place.calls(tools), is_full).run(model, request())
    assert model.answers == []
    assert model.requests == [request()] * len(answers)
    assert place.message == result.message
    return result


async def done(params: Given, context: ToolContext) -> ToolResult:
    return DONE


def kinds(place: LoopWorld) -> list[type]:
    return [type(part) for part in place.parts]


async def test_thoughts_and_words_become_parts_between_start_and_finish(place: LoopWorld) -> None:
    await step(
        place,
        [
            ReasoningStart(id="r", metadata={"wire": 1}),
            ReasoningDelta(id="r", text="Let me "),
            ReasoningDelta(id="r", text="think."),
            ReasoningEnd(id="r", metadata={"wire": 2}),
            TextStart(id="t", metadata={"wire": 3}),
            TextDelta(id="t", text="Hello."),
            TextEnd(id="t", metadata={"wire": 4}),
            finish("stop", input=10, output=4),
        ],
    )
    start, thought, text, end = place.parts
    assert isinstance(start, StepStartPart)
    ids = {"session_id": ID, "message_id": place.answer.id}
    time = PartTime(start=NOW, end=NOW)
    assert thought == ReasoningPart(id=thought.id, text="Let me think.", time=time, metadata={"wire": 2}, **ids)  # type: ignore[arg-type]
    assert text == TextPart(id=text.id, text="Hello.", time=time, metadata={"wire": 4}, **ids)  # type: ignore[arg-type]
    tokens = Tokens(total=14, input=10, output=4)
    assert end == StepFinishPart(id=end.id, reason="stop", cost=0, tokens=tokens, **ids)  # type: ignore[arg-type]
    assert [part.id for part in place.parts] == sorted(part.id for part in place.parts)
    opened = [event.part for event in place.heard(MessagePartUpdated) if event.part.id in (thought.id, text.id)][::2]
    assert [(part.text, part.time, part.metadata) for part in opened] == [
        ("", PartTime(start=NOW), {"wire": 1}), ("", PartTime(start=NOW), {"wire": 3}),
    ]  # fmt: skip


async def test_text_is_told_piece_by_piece_between_its_empty_and_its_whole_part(place: LoopWorld) -> None:
    await step(place, [TextStart(id="t"), TextDelta(id="t", text="He"), TextDelta(id="t", text="llo"), finish()])
    told = [
        event.delta if isinstance(event, MessagePartDelta) else event.part.text
        for event in place.told
        if isinstance(event, MessagePartDelta)
        or (isinstance(event, MessagePartUpdated) and isinstance(event.part, TextPart))
    ]
    assert told == ["", "He", "llo", "Hello"]


async def test_texts_of_one_answer_are_kept_apart_by_kind_and_id(place: LoopWorld) -> None:
    await step(
        place,
        [
            TextStart(id="1"), ReasoningStart(id="1"), TextStart(id="2"), TextStart(id="1"),
            TextDelta(id="1", text="a"), ReasoningDelta(id="1", text="b"), TextDelta(id="2", text="c"),
            TextEnd(id="1"), TextDelta(id="1", text="after its end"), TextDelta(id="3", text="never begun"),
            TextEnd(id="3"), ReasoningEnd(id="3"), finish(),
        ],
    )  # fmt: skip
    texts = [(type(part), part.text) for part in place.parts if isinstance(part, TextPart | ReasoningPart)]
    assert texts == [(TextPart, "a"), (ReasoningPart, "b"), (TextPart, "c")]


async def test_the_message_is_completed_with_its_end_and_usage_and_the_session_adds_it_up(place: LoopWorld) -> None:
    answer = [*words("Hi")[:-1], finish("length", input=10, output=4, cache_read=3, reasoning=1)]
    result = await step(place, answer)
    assert (result.goes_on, result.is_full) == (True, False)
    message = place.message
    tokens = Tokens(total=14, input=7, output=3, reasoning=1, cache=CacheTokens(read=3))
    assert (message.finish, message.tokens, message.error) == ("length", tokens, UNSET)
    assert message.time == MessageTime(created=1, completed=NOW)
    assert place.session.tokens == Tokens(input=7, output=3, reasoning=1, cache=CacheTokens(read=3))
    assert place.heard(SessionUpdated) == []


async def test_tools_are_run_and_the_step_ends_when_they_have(place: LoopWorld) -> None:
    async def act(params: Given, context: ToolContext) -> ToolResult:
        await anyio.lowlevel.checkpoint()
        return DONE

    result = await step(
        place,
        [
            ToolInputStart(call_id="c", name="look"),
            ToolInputDelta(call_id="c", text="{}"),
            CALL,
            finish("tool-calls"),
        ],
        tools={"look": act},
    )
    assert result.goes_on
    [part] = place.call_parts
    assert isinstance(part.state, ToolStateCompleted)
    assert {event.part.tool for event in place.heard(MessagePartUpdated) if event.part.id == part.id} == {"look"}
    assert [type(event.part) for event in place.heard(MessagePartUpdated)][-1] is StepFinishPart


async def test_a_refused_call_ends_the_turn_without_an_error(place: LoopWorld) -> None:
    async def refused(params: Given, context: ToolContext) -> ToolResult:
        raise PermissionRejected

    result = await step(place, [CALL, finish("tool-calls")], tools={"look": refused})
    assert (result.goes_on, place.message.error) == (False, UNSET)


# --- failures -------------------------------------------------------------------------------------------------------


async def test_a_failure_that_may_pass_is_tried_again_without_a_trace_of_the_first_try(place: LoopWorld) -> None:
    busy = ApiCallFailed("Overloaded, please wait", status_code=529, is_retryable=True)
    cut = [TextStart(id="t"), TextDelta(id="t", text="Half an "), ToolInputStart(call_id="c", name="look"), busy]
    result = await step(place, cut, words("Whole."), tools={"look": done})
    assert result.goes_on
    assert kinds(place) == [StepStartPart, TextPart, StepFinishPart]
    assert [part.text for part in place.parts if isinstance(part, TextPart)] == ["Whole."]
    assert list(place.open_parts.current_events()) == []
    first_try = list(dict.fromkeys(event.part.id for event in place.heard(MessagePartUpdated)))[:3]
    assert place.heard(MessagePartRemoved) == [
        MessagePartRemoved(session_id=ID, message_id=place.answer.id, part_id=id) for id in first_try
    ]
    assert place.heard(SessionErrored) == []


async def test_clients_see_why_when_and_how_often_it_is_tried_again(place: LoopWorld) -> None:
    busy = ApiCallFailed("Overloaded, please wait", status_code=529, is_retryable=True)
    await step(place, [busy], [busy], words("Whole."))
    statuses = [
        StatusBusy(),
        StatusRetry(attempt=1, message="Provider is overloaded", next=NOW + 4),
        StatusBusy(),
        StatusRetry(attempt=2, message="Provider is overloaded", next=NOW + 8),
        StatusBusy(),
    ]
    assert place.heard(SessionStatusChanged) == [SessionStatusChanged(session_id=ID, status=s) for s in statuses]


async def test_the_provider_may_say_how_long_to_wait(place: LoopWorld) -> None:
    limit = ApiCallFailed("Slow down", status_code=429, is_retryable=True, headers={"retry-after-ms": "17"})
    await step(place, [limit], words("Whole."))
    [waits] = [e.status for e in place.heard(SessionStatusChanged) if isinstance(e.status, StatusRetry)]
    assert waits == StatusRetry(attempt=1, message="Slow down", next=NOW + 17)


async def test_an_answer_without_an_end_is_asked_for_again(place: LoopWorld) -> None:
    await step(place, words("Half")[:-1], words("Whole."))
    assert [part.text for part in place.parts if isinstance(part, TextPart)] == ["Whole."]


async def test_after_some_tries_the_failure_stays(place: LoopWorld) -> None:
    busy = ApiCallFailed("Slow down", status_code=429, is_retryable=True)
    result = await step(place, *[[busy]] * (failures.MAX_RETRIES + 1))
    assert not result.goes_on
    assert isinstance(place.message.error, APIError)


async def test_a_failure_that_will_not_pass_ends_on_the_message_and_is_told_once(place: LoopWorld) -> None:
    refused = ApiCallFailed("No such model", status_code=404)
    result = await step(place, [TextStart(id="t"), TextDelta(id="t", text="So far"), refused])
    assert (result.goes_on, result.is_full) == (False, False)
    error = place.message.error
    assert isinstance(error, APIError)
    assert (error.data.message, error.data.status_code) == ("No such model", 404)
    assert place.heard(SessionErrored) == [SessionErrored(session_id=ID, error=error)]
    assert place.message.time.completed == NOW
    [text] = [part for part in place.parts if isinstance(part, TextPart)]
    assert (text.text, text.time) == ("So far", PartTime(start=NOW, end=NOW))


async def test_once_a_tool_has_started_nothing_is_asked_again(place: LoopWorld) -> None:
    """The call may have had its effect."""
    busy = ApiCallFailed("Overloaded", status_code=529, is_retryable=True)
    result = await step(place, [CALL, busy], tools={"look": done})
    assert (result.goes_on, type(place.message.error)) == (False, APIError)
    [part] = place.call_parts
    assert isinstance(part.state, ToolStateCompleted | ToolStateError)


async def test_a_defect_ends_the_step_like_any_failure(place: LoopWorld) -> None:
    await step(place, [ModelCallError("what is this")])
    assert isinstance(place.message.error, UnknownError)
    assert place.message.error.data.message == "what is this"


async def test_an_answer_stopped_by_a_filter_is_kept_with_an_error(place: LoopWorld) -> None:
    result = await step(place, [*words("So far")[:-1], finish("content-filter", output=2)])
    message = place.message
    assert isinstance(message.error, ContentFilterError)
    assert message.error.data.message == "The provider's content filter blocked the answer"
    assert (message.finish, message.tokens.output, result.goes_on) == ("content-filter", 2, False)
    assert [event.error for event in place.heard(SessionErrored)] == [message.error]


# --- changes of files ------------------------------------------------------------------------------------------------


async def test_a_step_that_changes_files_says_which_and_between_which_trees(place: LoopWorld) -> None:
    directory = place.directory / "tree"
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True)  # noqa: ASYNC221
    place.services = dataclasses.replace(place.services, snapshots=snapshots_of(directory, place.directory / "data"))

    async def write(params: Given, context: ToolContext) -> ToolResult:
        (directory / "new.txt").write_text("new")
        return DONE

    await step(place, [CALL, finish("tool-calls")], tools={"look": write})
    start, _, end, patch = place.parts
    assert isinstance(start, StepStartPart)
    assert isinstance(end, StepFinishPart)
    assert isinstance(patch, PatchPart)
    assert len({start.snapshot, end.snapshot, UNSET}) == 3
    assert (patch.hash, patch.files) == (start.snapshot, [str(directory / "new.txt")])
    assert patch.message_id == place.answer.id


async def test_a_step_that_is_stopped_says_what_it_had_changed(place: LoopWorld) -> None:
    directory = place.directory / "tree"
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True)  # noqa: ASYNC221
    place.services = dataclasses.replace(place.services, snapshots=snapshots_of(directory, place.directory / "data"))
    begun = anyio.Event()

    async def write(params: Given, context: ToolContext) -> ToolResult:
        (directory / "new.txt").write_text("new")
        begun.set()
        await anyio.sleep_forever()
        return DONE

    await stopped(place, [CALL, begun, TextStart(id="t"), TextDelta(id="t", text="x"), anyio.Event()],
                  when=MessagePartDelta, tools={"look": write})  # fmt: skip
    [patch] = [part for part in place.parts if isinstance(part, PatchPart)]
    assert patch.files == [str(directory / "new.txt")]


def snapshots_of(directory: Path, data: Path) -> SnapshotService:
    return open_snapshots(
        data=data, project_id="p", directory=directory, worktree=directory, git=Git({}), environ={}, enabled=True
    )


# --- what a step concludes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "goes_on"),
    [({}, True), ({"structured": {"x": 1}}, False), ({"error": UnknownError(data=MessageText(message="no"))}, False)],
)
async def test_a_conclusion_is_drawn_from_the_whole_answer_and_may_end_the_turn(
    place: LoopWorld, ending: dict[str, Any], goes_on: bool
) -> None:
    seen: list[MessageWithParts] = []

    def conclude(answer: MessageWithParts) -> AssistantMessage:
        seen.append(answer)
        assert isinstance(answer.info, AssistantMessage)
        return replace(answer.info, **ending)

    processor = StepProcessor(place.services, place.answer, place.calls(), lambda tokens: True, conclude)
    with anyio.fail_after(10):
        result = await processor.run(ScriptedLanguageModel(words("Hi")), request())
    assert (result.goes_on, result.is_full) == (goes_on, goes_on)
    [answer] = seen
    assert isinstance(answer.info, AssistantMessage)
    assert (answer.info.finish, kinds(place)) == ("stop", [type(part) for part in answer.parts])
    assert place.message == replace(answer.info, **ending, time=MessageTime(created=1, completed=NOW))


async def test_a_step_that_failed_concludes_nothing(place: LoopWorld) -> None:
    processor = StepProcessor(
        place.services, place.answer, place.calls(), None, lambda _: pytest.fail("there is no answer")
    )
    with anyio.fail_after(10):
        await processor.run(ScriptedLanguageModel([ApiCallFailed("No such model", status_code=404)]), request())
    assert isinstance(place.message.error, APIError)


async def test_a_call_that_nobody_was_there_to_allow_fails_the_step(place: LoopWorld) -> None:
    async def unanswered(params: Given, context: ToolContext) -> ToolResult:
        raise UnansweredFailure("Nobody was there.")

    result = await step(place, [CALL, finish("tool-calls")], tools={"look": unanswered})
    assert not result.goes_on
    error = place.message.error
    assert error is not UNSET
    assert error.data.message == "Nobody was there."  # type: ignore[union-attr]


async def test_a_provider_that_bills_in_units_of_its_own_says_what_a_step_cost(place: LoopWorld) -> None:
    billed = {"copilot": {"totalNanoAiu": 25_000_000_000}}
    await step(place, [StepFinish(reason="stop", usage=Usage(), metadata=billed)])
    assert (place.message.cost, place.session.cost) == (0.25, 0.25)


# --- a history that is too long -------------------------------------------------------------------------------------


async def test_a_history_that_is_too_long_is_told_and_left_to_be_condensed(place: LoopWorld) -> None:
    result = await step(place, [ContextOverflow("too long")], is_full=lambda tokens: False)
    assert (result.goes_on, result.is_full) == (True, True)
    assert (place.message.error, place.message.time.completed) == (UNSET, NOW)
    [told] = place.heard(SessionErrored)
    assert (told.session_id, type(told.error), told.error.data.message) == (ID, ContextOverflowError, "too long")


async def test_where_nothing_is_condensed_it_is_an_error_like_any_other(place: LoopWorld) -> None:
    result = await step(place, [ContextOverflow("too long")])
    assert (result.goes_on, result.is_full) == (False, False)
    assert isinstance(place.message.error, ContextOverflowError)
    assert len(place.heard(SessionErrored)) == 1


@pytest.mark.parametrize("full", [True, False])
async def test_the_usage_of_a_step_decides_whether_there_is_room_for_another(place: LoopWorld, full: bool) -> None:
    asked: list[Tokens] = []

    def is_full(tokens: Tokens) -> bool:
        asked.append(tokens)
        return full

    result = await step(place, [finish(input=9, output=1)], is_full=is_full)
    assert (result.goes_on, result.is_full) == (True, full)
    assert asked == [Tokens(total=10, input=9, output=1)]


# --- being stopped --------------------------------------------------------------------------------------------------


async def stopped(place: LoopWorld, answer: list[Scripted], *, when: type, tools: dict[str, Any] | None = None) -> None:
    """Run a step and stop it when the first event of a kind is told."""
    with anyio.CancelScope() as scope:
        place.world.events.subscribe_function(when, lambda _: scope.cancel())
        processor = StepProcessor(place.services, place.answer, place.calls(tools))
        with anyio.fail_after(10):
            await processor.run(ScriptedLanguageModel(answer), request())
    assert scope.cancelled_caught


async def test_a_stopped_answer_keeps_its_words_and_says_that_it_was_stopped(place: LoopWorld) -> None:
    never = anyio.Event()
    await stopped(place, [TextStart(id="t"), TextDelta(id="t", text="So far"), never], when=MessagePartDelta)
    message = place.message
    assert isinstance(message.error, MessageAbortedError)
    assert (message.error.data.message, message.time.completed, message.finish) == ("Aborted", NOW, UNSET)
    assert [event.error for event in place.heard(SessionErrored)] == [message.error]
    [text] = [part for part in place.parts if isinstance(part, TextPart)]
    assert (text.text, text.time) == ("So far", PartTime(start=NOW, end=NOW))


async def test_a_stopped_tool_is_stopped_and_its_call_ends(place: LoopWorld) -> None:
    begun = anyio.Event()

    async def act(params: Given, context: ToolContext) -> ToolResult:
        begun.set()
        await anyio.sleep_forever()
        return DONE

    await stopped(place, [CALL, begun, TextStart(id="t"), TextDelta(id="t", text="x"), anyio.Event()],
                  when=MessagePartDelta, tools={"look": act})  # fmt: skip
    [part] = place.call_parts
    assert isinstance(part.state, ToolStateError)
    assert part.state.metadata == {"interrupted": True}


async def test_a_pause_before_another_try_can_be_stopped(place: LoopWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "BASE_DELAY_MS", 1_000_000)
    busy = ApiCallFailed("Overloaded", status_code=529, is_retryable=True)

    def is_waiting(event: SessionStatusChanged) -> None:
        if isinstance(event.status, StatusRetry):
            scope.cancel()

    with anyio.CancelScope() as scope, anyio.fail_after(10):
        place.world.events.subscribe_function(SessionStatusChanged, is_waiting)
        processor = StepProcessor(place.services, place.answer, place.calls())
        await processor.run(ScriptedLanguageModel([busy]), request())
    assert isinstance(place.message.error, MessageAbortedError)


async def test_every_change_of_the_message_is_told(place: LoopWorld) -> None:
    await step(place, words("Hi"))
    told = [event.info for event in place.heard(MessageUpdated)]
    assert [(info.finish, info.time.completed) for info in told] == [("stop", UNSET), ("stop", NOW)]
    assert told[-1] == place.message
