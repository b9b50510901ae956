"""What a dead process left open is completed, and nothing else is touched."""

from typing import Any

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.repair import SERVER_STOPPED, repair_sessions, stopped
from opencode.session.changes import DeleteSession, PutMessage, PutPart, StartRun
from opencode.session.schema import (
    MessageAbortedError,
    MessagePartUpdated,
    MessageText,
    MessageTime,
    MessageUpdated,
    PartTime,
    ReasoningPart,
    SessionErrored,
    SessionIdle,
    SessionStatusChanged,
    SessionUpdated,
    SpanTime,
    StartTime,
    StatusIdle,
    StepStartPart,
    TextPart,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    ToolTime,
)
from tests.support.event_world import NOW
from tests.support.loop_world import ID, LoopWorld

CALL_STOPPED = "The server stopped while this call was running; it may have had effects, but gave no result"


def ids(name: str) -> dict[str, Any]:
    return {"id": PartID(f"prt_{name}"), "session_id": ID, "message_id": MessageID("msg_2")}


def call(name: str, state: ToolState) -> ToolPart:
    return ToolPart(**ids(name), call_id=name, tool="bash", state=state)


def text(name: str, **time: int) -> TextPart:
    return TextPart(**ids(name), text=name, time=PartTime(**time) if time else UNSET)


async def crash(place: LoopWorld, *parts: Any, **message: Any) -> int:
    """Leave the answer with these parts, as a process does that dies; then repair."""
    place.answer = replace(place.answer, **message)
    changes = [PutPart(part) for part in parts]
    await place.store.commit(PutMessage(place.answer), *changes, StartRun(ID, "loop"))
    place.told.clear()
    return await repair_sessions(place.store, place.clock)


async def test_an_open_answer_ends_as_stopped_and_its_session_rests(place: LoopWorld) -> None:
    assert await crash(place) == 1
    error = MessageAbortedError(data=MessageText(message="The server stopped while this was running"))
    assert error == SERVER_STOPPED.error == stopped(error.data.message)
    completed = replace(place.answer, error=error, time=MessageTime(created=1, completed=NOW))
    assert place.message == completed
    assert place.store.running() == []
    assert place.told == [
        SessionErrored(session_id=ID, error=error),
        MessageUpdated(session_id=ID, info=completed),
        SessionUpdated(session_id=ID, info=place.session),
        SessionStatusChanged(session_id=ID, status=StatusIdle()),
        SessionIdle(session_id=ID),
    ]


async def test_an_answer_that_had_its_end_is_completed_without_an_error(place: LoopWorld) -> None:
    await crash(place, finish="stop")
    assert (place.message.error, place.message.time.completed) == (UNSET, NOW)
    assert place.heard(SessionErrored) == []


async def test_growing_texts_keep_what_was_stored_and_end_now(place: LoopWorld) -> None:
    thought = ReasoningPart(**ids("b"), text="Hm", time=PartTime(start=5))
    await crash(place, text("a", start=5), thought, text("c", start=5, end=6), text("d"))
    assert place.parts == [
        text("a", start=5, end=NOW), replace(thought, time=PartTime(start=5, end=NOW)), text("c", start=5, end=6),
        text("d"),
    ]  # fmt: skip
    assert [event.part.id for event in place.heard(MessagePartUpdated)] == ["prt_a", "prt_b"]


async def test_calls_without_a_result_end_as_interrupted_with_what_they_had_shown(place: LoopWorld) -> None:
    shown = {"output": "half"}
    running = ToolStateRunning(input={"x": 1}, metadata=shown, time=StartTime(start=5))
    await crash(place, call("a", ToolStatePending(input={"y": 2})), call("b", running))
    assert [part.state for part in place.call_parts] == [
        ToolStateError(
            input={"y": 2}, error=CALL_STOPPED, metadata={"interrupted": True}, time=SpanTime(start=NOW, end=NOW)
        ),
        ToolStateError(
            input={"x": 1}, error=CALL_STOPPED, metadata={**shown, "interrupted": True},
            time=SpanTime(start=5, end=NOW),
        ),
    ]  # fmt: skip


async def test_the_end_of_a_call_is_told_since_it_may_have_been_stored_without_a_word(place: LoopWorld) -> None:
    done = ToolStateCompleted(input={}, output="x", title="", metadata={}, time=ToolTime(start=5, end=6))
    await crash(place, StepStartPart(**ids("a")), call("b", done))
    assert [event.part for event in place.heard(MessagePartUpdated)] == [call("b", done)] == place.call_parts


async def test_answers_that_were_complete_are_left_alone(place: LoopWorld) -> None:
    await crash(place, text("a", start=5), time=MessageTime(created=1, completed=2))
    assert place.message == place.answer
    assert place.parts == [text("a", start=5)]
    assert [type(event) for event in place.told] == [SessionUpdated, SessionStatusChanged, SessionIdle]


async def test_without_running_sessions_nothing_is_done(place: LoopWorld) -> None:
    assert await repair_sessions(place.store, place.clock) == 0
    assert place.message.time.completed is UNSET
    assert place.told == []


async def test_a_session_that_was_deleted_meanwhile_runs_no_longer(place: LoopWorld) -> None:
    await place.store.commit(DeleteSession(place.session))
    await place.store.commit(StartRun(SessionID(ID), "loop"))
    place.told.clear()
    await repair_sessions(place.store, place.clock)
    assert (place.store.running(), place.told) == ([], [])
