"""Answers of a chosen shape: which tries count as failed, what a step ends with, which schemas are taken."""

from typing import Any

import pytest

from opencode.core.errors import Invalid
from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.structured import (
    DEFAULT_RETRIES,
    MOST_RETRIES,
    StructuredAnswer,
    checked_format,
    is_failed_try,
    structured_answer,
)
from opencode.loop.turn import turn_of
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    OutputFormatJsonSchema,
    OutputFormatText,
    Part,
    SpanTime,
    StructuredOutputError,
    StructuredOutputErrorData,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolTime,
)
from tests.support.records import assistant_message, text_part, user_message

SCHEMA = {"type": "object", "properties": {"n": {"type": "number"}}}
WANTED = OutputFormatJsonSchema(schema=SCHEMA)
ENDED = SpanTime(start=1, end=2)


def call(state: ToolState, tool: str = "StructuredOutput") -> ToolPart:
    return ToolPart(
        id=PartID("prt_1"),
        session_id=SessionID("ses"),
        message_id=MessageID("msg"),
        call_id="c",
        tool=tool,
        state=state,
    )


def given(**value: Any) -> ToolPart:
    """A call that was taken."""
    time = ToolTime(start=1, end=2)
    return call(ToolStateCompleted(input=value, output="", title="", metadata={}, time=time))


def refused(error: str, **value: Any) -> ToolPart:
    return call(ToolStateError(input=value, error=error, time=ENDED))


def unreadable(tool: str = "StructuredOutput") -> ToolPart:
    """A call whose arguments were no JSON: it became one of the tool that tells the model so."""
    time = ToolTime(start=1, end=2)
    state = ToolStateCompleted(input={"tool": tool}, output="No JSON.", title="", metadata={}, time=time)
    return call(state, "invalid")


WORDS = text_part("ses", "msg", "prt_2", "It is five.")
READ = replace(given(), tool="read")
REFUSED_READ = replace(refused("gone"), tool="read")


def answer(*parts: Part, finish: Any = "stop", id: str = "msg_2") -> MessageWithParts:
    return MessageWithParts(info=assistant_message("ses", id, "msg_1", finish=finish), parts=list(parts))


def asked(format: Any = WANTED) -> MessageWithParts:
    return MessageWithParts(info=user_message("ses", "msg_1", format=format), parts=[])


def wanted(*answers: MessageWithParts, format: Any = WANTED) -> StructuredAnswer | None:
    turn = turn_of([asked(format), *answers])
    assert turn is not None
    return structured_answer(turn)


def concludes(step: MessageWithParts, *, retries: int = 2, failures: int = 0) -> AssistantMessage:
    plan = wanted()
    assert plan is not None
    plan = StructuredAnswer(plan.tool, retries, failures, was_text=False)
    return plan.concluded(step)


@pytest.mark.parametrize(
    ("step", "failed"),
    [
        (answer(WORDS), True),
        (answer(WORDS, finish="length"), True),
        (answer(WORDS, finish="tool-calls"), False),
        (answer(WORDS, finish="unknown"), False),
        (answer(WORDS, finish=UNSET), False),
        (answer(given(n=1)), False),
        (answer(refused("n is no number")), True),
        (answer(unreadable(), finish="tool-calls"), True),
        (answer(unreadable("read")), False),
        (answer(READ), False),
        (answer(REFUSED_READ, finish="tool-calls"), False),
        (answer(READ, refused("n is no number")), True),
        (asked(), False),
    ],
)
def test_a_try_fails_by_words_by_what_does_not_fit_and_by_what_cannot_be_read(
    step: MessageWithParts, failed: bool
) -> None:
    assert is_failed_try(step) is failed


def test_nothing_is_wanted_besides_words_unless_a_schema_was_given() -> None:
    assert wanted(format=UNSET) is None
    assert wanted(format=OutputFormatText()) is None


@pytest.mark.parametrize(
    ("count", "retries"), [(UNSET, DEFAULT_RETRIES), (0, 0), (MOST_RETRIES, MOST_RETRIES), (1000, MOST_RETRIES)]
)
def test_the_caller_says_how_often_it_is_tried_again_up_to_a_bound(count: Any, retries: int) -> None:
    plan = wanted(format=replace(WANTED, retry_count=count))
    assert plan is not None
    assert plan.retries == retries
    assert plan.tool.definition.parameters == SCHEMA


@pytest.mark.parametrize(
    ("steps", "failures", "was_text"),
    [
        ([], 0, False),
        ([answer(WORDS)], 1, True),
        ([answer(refused("no"))], 1, False),
        ([answer(WORDS), answer(refused("no"), id="msg_3")], 2, False),
        ([answer(refused("no")), answer(WORDS, id="msg_3")], 2, True),
        ([answer(WORDS), answer(READ, finish="tool-calls", id="msg_3")], 1, False),
    ],
)
def test_tries_before_a_step_are_counted_and_words_are_known_as_the_last_of_them(
    steps: list[MessageWithParts], failures: int, was_text: bool
) -> None:
    plan = wanted(*steps)
    assert plan is not None
    assert (plan.failures, plan.was_text) == (failures, was_text)


def test_the_last_object_that_was_taken_is_the_answer() -> None:
    step = answer(given(n=1), given(n=2), refused("no", n="x"), unreadable(), finish="tool-calls")
    info = concludes(step)
    assert (info.structured, info.finish, info.error) == ({"n": 2}, "tool-calls", UNSET)


def test_an_answer_that_does_not_say_how_it_ended_has_stopped() -> None:
    assert concludes(answer(given(n=1), finish=UNSET)).finish == "stop"


@pytest.mark.parametrize("step", [answer(WORDS), answer(refused("no")), answer(READ), answer(unreadable())])
def test_a_step_without_an_object_is_left_as_it_is_while_there_are_tries(step: MessageWithParts) -> None:
    assert concludes(step, retries=2, failures=1) == step.info


def test_a_step_that_did_not_try_is_left_as_it_is_even_after_the_last_try() -> None:
    step = answer(READ, finish="tool-calls")
    assert concludes(step, retries=1, failures=1) == step.info


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (answer(WORDS), "Model did not produce structured output"),
        (
            answer(refused("first"), refused("n is no number")),
            "Model did not produce structured output: n is no number",
        ),
        (answer(refused("too big"), REFUSED_READ), "Model did not produce structured output: too big"),
    ],
)
def test_the_last_try_ends_the_turn_with_what_was_wrong_with_it(step: MessageWithParts, message: str) -> None:
    problem = StructuredOutputErrorData(message=message, retries=2)
    assert concludes(step, retries=2, failures=2) == replace(step.info, error=StructuredOutputError(data=problem))


def test_a_format_is_stored_with_the_number_of_tries_it_has() -> None:
    assert checked_format(UNSET) is UNSET
    assert checked_format(OutputFormatText()) == OutputFormatText()
    assert checked_format(WANTED) == replace(WANTED, retry_count=DEFAULT_RETRIES)
    assert checked_format(replace(WANTED, retry_count=0)) == replace(WANTED, retry_count=0)
    assert checked_format(OutputFormatJsonSchema(schema={})) == OutputFormatJsonSchema(schema={}, retry_count=2)


@pytest.mark.parametrize(
    ("schema", "words", "where"),
    [
        ({"type": "array"}, 'Expected "object": models answer with an object', '["format"]["schema"]["type"]'),
        (
            {"type": "object", "properties": {"n": {"type": "numeral"}}},
            "numeral",
            '["format"]["schema"]["properties"]["n"]["type"]',
        ),
    ],
)
def test_what_is_no_schema_of_an_object_is_refused_with_the_place_of_the_fault(
    schema: dict[str, Any], words: str, where: str
) -> None:
    with pytest.raises(Invalid) as error:
        checked_format(OutputFormatJsonSchema(schema=schema))
    assert words in error.value.message
    assert error.value.message.endswith(f"\n  at {where}")
    assert error.value.data["kind"] == "Payload"
