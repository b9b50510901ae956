"""A conversation in plain text: what stands in it, word for word."""

from typing import Any

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.loop.transcript import CLEARED, LONGEST_RESULT, transcript
from opencode.session.schema import (
    FilePart,
    MessageWithParts,
    Part,
    PartTime,
    ReasoningPart,
    SpanTime,
    StartTime,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStateRunning,
    ToolTime,
)
from tests.support.records import assistant_message, text_part, user_message

WHERE: dict[str, Any] = {"id": PartID("prt_1"), "session_id": SessionID("ses"), "message_id": MessageID("msg_1")}


def asked(*parts: Part) -> MessageWithParts:
    return MessageWithParts(info=user_message("ses", "msg_1"), parts=list(parts))


def answered(*parts: Part) -> MessageWithParts:
    return MessageWithParts(info=assistant_message("ses", "msg_2", "msg_1"), parts=list(parts))


def text(words: str, **fields: Any) -> Part:
    return text_part("ses", "msg_1", "prt_1", words, **fields)


def file(mime: str, **fields: Any) -> Part:
    return FilePart(**WHERE, mime=mime, url="data:,", **fields)


def call(state: ToolState) -> Part:
    return ToolPart(**WHERE, call_id="call_1", tool="read", state=state)


def result(output: str, **fields: Any) -> Part:
    time = ToolTime(start=1, end=2, **fields)
    return call(ToolStateCompleted(input={"path": "a"}, output=output, title="", metadata={}, time=time))


def test_a_conversation_is_told_in_blocks_with_a_label_each() -> None:
    thought = ReasoningPart(**WHERE, text="Hm.", time=PartTime(start=1))
    failed = call(ToolStateError(input={}, error="gone", time=SpanTime(start=1, end=2)))
    conversation = [asked(text("Hi")), answered(thought, text("Let me look."), result("found"), failed, text("Done."))]
    assert transcript(conversation).split("\n\n") == [
        "User: Hi",
        "Assistant thinking: Hm.",
        "Assistant: Let me look.",
        'Tool call: read {"path":"a"}',
        "Tool result: found",
        "Tool call: read {}",
        "Tool error: gone",
        "Assistant: Done.",
    ]


def test_what_the_model_never_saw_is_left_out() -> None:
    blank = ReasoningPart(**WHERE, text=" \n", time=PartTime(start=1))
    running = call(ToolStateRunning(input={}, time=StartTime(start=1)))
    assert transcript([asked(text("aside", ignored=True), text("  ")), answered(blank, running)]) == ""


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (file("image/png"), "Attachment: image/png"),
        (file("image/png", filename="a.png"), "Attachment: image/png a.png"),
        (file("text/plain", filename="a.txt"), ""),
        (file("application/x-directory", filename="src"), ""),
    ],
)
def test_attachments_are_named_unless_their_text_stands_beside_them(part: Part, told: str) -> None:
    assert transcript([asked(part)]) == told


@pytest.mark.parametrize(
    ("length", "rest"),
    [(LONGEST_RESULT, ""), (LONGEST_RESULT + 1, "\n[1 more characters]"), (2_500, "\n[500 more characters]")],
)
def test_long_results_are_cut(length: int, rest: str) -> None:
    told = transcript([answered(result("x" * length))])
    assert told.endswith(f"Tool result: {'x' * LONGEST_RESULT}{rest}")


def test_a_result_that_was_cleared_is_not_told() -> None:
    assert transcript([answered(result("secret", compacted=3))]).endswith(f"Tool result: {CLEARED}")
