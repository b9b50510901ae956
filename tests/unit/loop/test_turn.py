"""Whether the newest prompt is answered."""

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.loop.turn import turn_of
from opencode.session.schema import (
    MessageWithParts,
    SpanTime,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolTime,
)
from tests.support.records import assistant_message, text_part, user_message

S = "ses_1"
RAN = ToolStateCompleted(input={}, output="x", title="x", metadata={}, time=ToolTime(start=1, end=2))
INTERRUPTED = ToolStateError(input={}, error="x", metadata={"interrupted": True}, time=SpanTime(start=1, end=2))
FAILED = ToolStateError(input={}, error="x", time=SpanTime(start=1, end=2))


def asked(id: str) -> MessageWithParts:
    return MessageWithParts(info=user_message(S, id), parts=[text_part(S, id, f"prt_{id}")])


def answered(id: str, parent: str, finish: str | None, *states: ToolState) -> MessageWithParts:
    fields = {} if finish is None else {"finish": finish}
    parts = [
        ToolPart(
            id=PartID(f"prt_{n}"),
            session_id=SessionID(S),
            message_id=MessageID(id),
            call_id=f"call_{n}",
            tool="read",
            state=state,
        )
        for n, state in enumerate(states)
    ]
    return MessageWithParts(info=assistant_message(S, id, parent, **fields), parts=list(parts))


def is_answered(*history: MessageWithParts) -> bool:
    turn = turn_of(history)
    assert turn is not None
    return turn.is_answered


def test_without_a_prompt_there_is_no_turn() -> None:
    assert turn_of([]) is None
    assert turn_of([answered("msg_2", "msg_1", "stop")]) is None


@pytest.mark.parametrize("finish", ["stop", "length", "content-filter", "other"])
def test_a_final_answer_ends_the_turn(finish: str) -> None:
    assert is_answered(asked("msg_1"), answered("msg_2", "msg_1", finish))


@pytest.mark.parametrize("finish", ["tool-calls", "unknown", None])
def test_an_answer_that_is_not_final_does_not(finish: str | None) -> None:
    assert not is_answered(asked("msg_1"), answered("msg_2", "msg_1", finish))


def test_a_later_prompt_is_not_answered_by_an_earlier_answer() -> None:
    """Order decides, not ids: the client's own id may be smaller than every id before it."""
    assert not is_answered(asked("msg_5"), answered("msg_6", "msg_5", "stop"), asked("msg_1"))


@pytest.mark.parametrize(("state", "ends"), [(RAN, False), (FAILED, False), (INTERRUPTED, True)])
def test_a_model_that_says_stop_after_calling_tools_is_asked_again(state: ToolState, ends: bool) -> None:
    assert is_answered(asked("msg_1"), answered("msg_2", "msg_1", "stop", state)) is ends


def test_the_steps_of_a_turn_are_those_of_its_prompt() -> None:
    history = [asked("msg_1"), answered("msg_2", "msg_1", "stop"), asked("msg_3"), answered("msg_4", "msg_3", None)]
    turn = turn_of(history)
    assert turn is not None
    assert (turn.user.id, len(turn.answers)) == ("msg_3", 1)
    assert (turn.user_parts, turn.assistant) == (history[2], history[3])
