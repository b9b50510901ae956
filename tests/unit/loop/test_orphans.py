"""Replies to what an earlier process had asked."""

from collections.abc import Callable
from typing import Any

import pytest

from opencode.core.ids import MessageID, PartID, PermissionID, QuestionID, SessionID
from opencode.core.rejection import UnansweredFailure
from opencode.core.wire import UNSET
from opencode.loop.orphans import Orphans
from opencode.permission.schema import PermissionRequest
from opencode.question.schema import QuestionInfo, QuestionRequest, QuestionTool
from opencode.session.changes import PutPart
from opencode.session.schema import (
    MessagePartUpdated,
    MessageText,
    SessionErrored,
    SpanTime,
    StartTime,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    ToolTime,
    UnansweredError,
)
from opencode.storage.database import Transaction
from tests.support.event_world import NOW
from tests.support.loop_world import ID, LoopWorld

GIVEN = {"questions": ["Why?"]}
RUNNING = ToolStateRunning(input=GIVEN, time=StartTime(start=5))
INTERRUPTED = ToolStateError(input=GIVEN, error="x", time=SpanTime(start=5, end=6))
DONE = ToolStateCompleted(input=GIVEN, output="x", title="x", metadata={}, time=ToolTime(start=5, end=6))
ANSWERED = ToolStateCompleted(
    input=GIVEN,
    output='User has answered your questions: "Why?"="Because". You can now continue with the user\'s answers in mind.',
    title="Asked 1 question",
    metadata={"answers": [["Because"]]},
    time=ToolTime(start=5, end=NOW),
)
PERMISSION = PermissionRequest(
    id=PermissionID("per_1"), session_id=ID, permission="bash", patterns=[], metadata={}, always=[]
)


def question(call_id: str | None = "call_1", message_id: str = "msg_2") -> QuestionRequest:
    tool = UNSET if call_id is None else QuestionTool(message_id=MessageID(message_id), call_id=call_id)
    info = QuestionInfo(question="Why?", header="Why", options=[])
    return QuestionRequest(id=QuestionID("que_1"), session_id=ID, questions=[info], tool=tool)


class Resumed:
    """Remembers which sessions go on."""

    def __init__(self, place: LoopWorld) -> None:
        self.orphans = Orphans(place.store, place.clock)
        self.orphans.resume = self.resume
        self.sessions: list[SessionID] = []

    async def resume(self, session_id: SessionID) -> None:
        self.sessions.append(session_id)


async def answer(place: LoopWorld, state: ToolState, request: QuestionRequest) -> Any:
    """Settle questions whose call is in a state; the state after that."""
    part = ToolPart(
        id=PartID("prt_1"), session_id=ID, message_id=place.answer.id, call_id="call_1", tool="question", state=state
    )
    await place.store.commit(PutPart(part))
    place.told.clear()
    orphans = Orphans(place.store, place.clock)
    change: Callable[[Transaction], None] = lambda tx: orphans.keep_answers(tx, request, [["Because"]])  # noqa: E731
    await place.world.database.write(change)
    return place.call_parts[0].state


async def test_answers_become_the_result_of_the_call_that_asked(place: LoopWorld) -> None:
    assert await answer(place, INTERRUPTED, question()) == ANSWERED
    assert [event.part for event in place.heard(MessagePartUpdated)] == place.call_parts


async def test_a_call_that_still_runs_tells_of_its_result_itself(place: LoopWorld) -> None:
    assert await answer(place, RUNNING, question()) == ANSWERED
    assert place.told == []


@pytest.mark.parametrize(
    ("state", "request_"),
    [
        (DONE, question()),
        (ToolStatePending(), question()),
        (RUNNING, question(None)),
        (RUNNING, question("call_2")),
        (RUNNING, question(message_id="msg_9")),
    ],
)
async def test_answers_change_no_other_call(place: LoopWorld, state: ToolState, request_: QuestionRequest) -> None:
    assert await answer(place, state, request_) == state
    assert place.told == []


async def test_what_was_allowed_goes_on_and_what_was_refused_does_not(place: LoopWorld) -> None:
    resumed = Resumed(place)
    await resumed.orphans.permission_replied(PERMISSION, "reject", None)
    assert resumed.sessions == []
    await resumed.orphans.permission_replied(PERMISSION, "once", None)
    await resumed.orphans.permission_replied(PERMISSION, "always", None)
    assert resumed.sessions == [ID, ID]


async def test_answered_questions_go_on_and_dismissed_ones_do_not(place: LoopWorld) -> None:
    resumed = Resumed(place)
    await resumed.orphans.question_answered(question(), None)
    assert resumed.sessions == []
    await resumed.orphans.question_answered(question(), [["Because"]])
    assert resumed.sessions == [ID]


async def test_what_nobody_could_answer_is_told_as_an_error_of_its_session(place: LoopWorld) -> None:
    await Orphans(place.store, place.clock).unanswered(ID, UnansweredFailure("Nobody was there."))
    error = UnansweredError(data=MessageText(message="Nobody was there."))
    assert place.told == [SessionErrored(session_id=ID, error=error)]


async def test_nothing_goes_on_before_the_loop_is_there(place: LoopWorld) -> None:
    with pytest.raises(RuntimeError, match="ses_1"):
        await Orphans(place.store, place.clock).permission_replied(PERMISSION, "once", None)
