import io
import json
from typing import Any

from opencode.cli.render import JsonOutput, TextOutput, error_message
from opencode.cli.tool_line import tool_lines
from opencode.permission.schema import PermissionAsked
from opencode.session.schema import (
    APIError,
    APIErrorData,
    MessageOutputLengthError,
    MessagePartDelta,
    PartTime,
    ReasoningPart,
    SpanTime,
    StepStartPart,
    TextPart,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolTime,
)

IDS: Any = {"id": "prt_1", "session_id": "ses_1", "message_id": "msg_1"}
TEXT = TextPart(**IDS, text="Hello there", time=PartTime(start=1, end=2))
THOUGHT = ReasoningPart(**IDS, text="hm", time=PartTime(start=1, end=2))


class FixedClock:
    def now_ms(self) -> int:
        return 7


def tool(state: ToolState, name: str = "bash") -> ToolPart:
    return ToolPart(**IDS, call_id="call_1", tool=name, state=state)


def completed(output: str, title: str = "", **given: Any) -> ToolStateCompleted:
    return ToolStateCompleted(input=given, output=output, title=title, metadata={}, time=ToolTime(start=1, end=2))


def delta(text: str) -> MessagePartDelta:
    return MessagePartDelta(session_id="ses_1", message_id="msg_1", part_id="prt_1", field="text", delta=text)


def text_output(*, thinking: bool = False) -> tuple[TextOutput, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return TextOutput(thinking=thinking, out=out, err=err), out, err


def test_an_answer_streams_to_stdout_and_ends_with_a_line_break() -> None:
    output, out, err = text_output()
    output.delta(delta("Hello "))
    assert out.getvalue() == "Hello "
    output.part(TEXT)
    assert (out.getvalue(), err.getvalue()) == ("Hello there\n", "")


def test_an_answer_that_did_not_stream_is_written_whole() -> None:
    output, out, _ = text_output()
    output.part(TEXT)
    assert out.getvalue() == "Hello there\n"


def test_an_answer_whose_final_text_differs_is_not_written_twice() -> None:
    output, out, _ = text_output()
    output.delta(delta("Hello there  "))
    output.part(TEXT)
    assert out.getvalue() == "Hello there  \n"


def test_the_header_is_written_once_and_beside_the_answer() -> None:
    output, out, err = text_output()
    output.header("build", "demo")
    output.header("build", "demo")
    assert (out.getvalue(), err.getvalue()) == ("", "> build · demo\n")


def test_reasoning_is_shown_only_when_wanted() -> None:
    for thinking, shown in ((False, ""), (True, "Thinking: hm\n")):
        output, _, err = text_output(thinking=thinking)
        output.part(THOUGHT)
        assert err.getvalue() == shown


def test_errors_and_refusals_are_told_on_stderr() -> None:
    output, out, err = text_output()
    asked = {"id": "per_1", "session_id": "ses_1", "permission": "bash", "patterns": ["rm -rf x"]}
    output.refused(PermissionAsked(**asked, metadata={}, always=[]))
    output.error(None, "no such model")
    assert out.getvalue() == ""
    assert err.getvalue().splitlines() == [
        "! permission requested: bash (rm -rf x); auto-rejecting",
        "Error: no such model",
    ]


def test_a_tool_call_is_a_line_with_what_tells_it_from_others() -> None:
    assert tool_lines(tool(completed("...", title="src/app.py"), "read")) == ["✓ read   src/app.py"]
    assert tool_lines(tool(completed("...", pattern="*.py"), "glob")) == ["✓ glob   *.py"]
    assert tool_lines(tool(ToolStatePending())) == []


def test_a_command_shows_the_beginning_of_its_output() -> None:
    output = "".join(f"line {n}\n" for n in range(20))
    first, *block, last = tool_lines(tool(completed(output, command="make\ntest")))
    assert first == "✓ bash   make test"
    assert block == [f"    line {n}" for n in range(12)]
    assert last == "    … 8 more lines"


def test_a_failed_tool_call_shows_its_error() -> None:
    state = ToolStateError(input={"filePath": "x"}, error="not there\n", time=SpanTime(start=1, end=2))
    assert tool_lines(tool(state, "read")) == ["✗ read   x", "    not there"]


def test_json_lines_have_a_type_the_time_the_session_and_the_part() -> None:
    out = io.StringIO()
    output = JsonOutput("ses_1", FixedClock(), thinking=False, out=out)
    output.header("build", "demo")
    output.delta(delta("Hel"))
    for part in (StepStartPart(**IDS), TEXT, THOUGHT, tool(completed("x"))):
        output.part(part)
    output.error(None, "broken")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["step_start", "text", "tool_use", "error"]
    assert lines[1] == {
        "type": "text",
        "timestamp": 7,
        "sessionID": "ses_1",
        "part": {
            "type": "text",
            "id": "prt_1",
            "sessionID": "ses_1",
            "messageID": "msg_1",
            "text": "Hello there",
            "time": {"start": 1, "end": 2},
        },
    }
    assert lines[3]["error"] == {"name": "UnknownError", "data": {"message": "broken"}}


def test_json_lines_have_the_reasoning_when_wanted() -> None:
    out = io.StringIO()
    JsonOutput("ses_1", FixedClock(), thinking=True, out=out).part(THOUGHT)
    assert json.loads(out.getvalue())["type"] == "reasoning"


def test_an_error_without_a_message_is_told_by_its_name() -> None:
    assert error_message(APIError(data=APIErrorData(message="quota", is_retryable=False))) == "quota"
    assert error_message(MessageOutputLengthError()) == "MessageOutputLengthError"
