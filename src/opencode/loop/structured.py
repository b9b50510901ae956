"""Answers of a shape that the caller chose (spec: prompt loop, section 5.1).

The model gives the object as arguments of the tool ``StructuredOutput``. A try without a fitting object is followed
by another, ``retryCount`` times. How many there were stands in the history, so nothing is kept elsewhere.
"""

from dataclasses import dataclass

from opencode.core.errors import Invalid
from opencode.core.json_schema import SchemaInvalid, place
from opencode.core.wire import UNSET, UnsetType, replace, set_or
from opencode.loop.tool_calls import INVALID
from opencode.loop.turn import UNFINISHED, Turn
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    OutputFormat,
    OutputFormatJsonSchema,
    StructuredOutputError,
    StructuredOutputErrorData,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
)
from opencode.tool.builtin.structured_output import STRUCTURED_OUTPUT, StructuredOutputTool

DEFAULT_RETRIES = 2
MOST_RETRIES = 20
NOT_PRODUCED = "Model did not produce structured output"


@dataclass(frozen=True, slots=True)
class StructuredAnswer:
    """What one step has to do with the object that its turn is to give. ``failures``: tries before this step."""

    tool: StructuredOutputTool
    retries: int
    failures: int
    was_text: bool
    """The try before was words instead of a call."""

    def concluded(self, answer: MessageWithParts) -> AssistantMessage:
        """The message of a step, with the object if it was given, with an error if this was the last try."""
        info = answer.info
        assert isinstance(info, AssistantMessage)
        for call in reversed(_calls(answer)):
            if isinstance(call.state, ToolStateCompleted) and not _is_unreadable(call):
                return replace(info, structured=call.state.input, finish=set_or(info.finish, "stop"))
        if self.failures < self.retries or not is_failed_try(answer):
            return info
        problem = StructuredOutputErrorData(message=_problem(answer), retries=self.failures)
        return replace(info, error=StructuredOutputError(data=problem))


def structured_answer(turn: Turn) -> StructuredAnswer | None:
    """What the turn wants besides words; None when it wants words."""
    wanted = turn.user.format
    if not isinstance(wanted, OutputFormatJsonSchema):
        return None
    tries = [message for message in turn.answers if is_failed_try(message)]
    return StructuredAnswer(
        tool=StructuredOutputTool(wanted.schema),
        retries=min(set_or(wanted.retry_count, DEFAULT_RETRIES), MOST_RETRIES),
        failures=len(tries),
        was_text=bool(tries) and tries[-1] is turn.assistant and _is_text(tries[-1]),
    )


def is_failed_try(answer: MessageWithParts) -> bool:
    """Whether a step gave no fitting object although it tried, or answered in words."""
    return _is_text(answer) or any(
        isinstance(call.state, ToolStateError) or _is_unreadable(call) for call in _calls(answer)
    )


def checked_format(wanted: OutputFormat | UnsetType) -> OutputFormat | UnsetType:
    """The format as it is stored. Raises ``Invalid`` with the place of the fault for what is no schema of an object."""
    if not isinstance(wanted, OutputFormatJsonSchema):
        return wanted
    if wanted.schema.get("type", "object") != "object":
        raise _invalid('Expected "object": models answer with an object', "type")
    try:
        StructuredOutputTool(wanted.schema)
    except SchemaInvalid as error:
        raise _invalid(error.problem, *error.path) from error
    return replace(wanted, retry_count=set_or(wanted.retry_count, DEFAULT_RETRIES))


def _invalid(problem: str, *path: str | int) -> Invalid:
    return Invalid(problem + place(("format", "schema", *path)), kind="Payload")


def _is_text(answer: MessageWithParts) -> bool:
    info = answer.info
    if not isinstance(info, AssistantMessage) or info.finish is UNSET or info.finish in UNFINISHED:
        return False
    return not any(isinstance(part, ToolPart) for part in answer.parts)


def _calls(answer: MessageWithParts) -> list[ToolPart]:
    """The calls that were to bring the object."""
    calls = [part for part in answer.parts if isinstance(part, ToolPart)]
    return [call for call in calls if call.tool == STRUCTURED_OUTPUT or _is_unreadable(call)]


def _is_unreadable(call: ToolPart) -> bool:
    """Whether it is one whose arguments were no JSON."""
    return call.tool == INVALID and call.state.input.get("tool") == STRUCTURED_OUTPUT


def _problem(answer: MessageWithParts) -> str:
    """Why there is no object: what the newest call was told, if there was one."""
    told = [call.state.error for call in _calls(answer) if isinstance(call.state, ToolStateError)]
    return f"{NOT_PRODUCED}: {told[-1]}" if told else NOT_PRODUCED
