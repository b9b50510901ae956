"""What ``opencode run`` prints: text for people, or one JSON object per line (spec: CLI, section 4)."""

import sys
from typing import Any, Final, Protocol, TextIO

import msgspec

from opencode.cli.tool_line import tool_lines
from opencode.core.clock import Clock
from opencode.core.wire import UNSET, encode
from opencode.permission.schema import PermissionAsked
from opencode.session.schema import (
    MessageError,
    MessagePartDelta,
    Part,
    ReasoningPart,
    StepFinishPart,
    StepStartPart,
    TextPart,
    ToolPart,
)

_DIM: Final = "\033[2m"
_RED: Final = "\033[31m"
_BOLD: Final = "\033[1m"
_PLAIN: Final = "\033[0m"


class Output(Protocol):
    """Where a turn is shown. Parts come finished, in order; deltas before their part."""

    def header(self, agent: str, model: str) -> None: ...

    def delta(self, delta: MessagePartDelta) -> None: ...

    def part(self, part: Part) -> None: ...

    def error(self, error: MessageError | None, message: str) -> None: ...

    def refused(self, asked: PermissionAsked) -> None: ...

    def notice(self, text: str) -> None: ...


class TextOutput:
    """Answers on stdout as they stream; tool calls, notices and errors on stderr, so that pipes get the answer."""

    def __init__(self, *, thinking: bool, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> None:
        self._thinking = thinking
        self._out = out
        self._err = err
        self._colours = err.isatty()
        self._streamed: dict[str, str] = {}
        self._headed = False

    def header(self, agent: str, model: str) -> None:
        """``> build · demo``, once."""
        if not self._headed:
            self._headed = True
            self.notice(f"> {agent} · {model}")

    def delta(self, delta: MessagePartDelta) -> None:
        if delta.field == "text":
            self._streamed[delta.part_id] = self._streamed.get(delta.part_id, "") + delta.delta
            self._write(self._out, delta.delta)

    def part(self, part: Part) -> None:
        match part:
            case TextPart():
                self._finish_text(part)
            case ToolPart():
                for line in tool_lines(part):
                    self._say(line)
            case ReasoningPart() if self._thinking:
                self._say(f"Thinking: {part.text.strip()}", _DIM)

    def error(self, error: MessageError | None, message: str) -> None:
        self._say(f"Error: {message}", _RED)

    def refused(self, asked: PermissionAsked) -> None:
        wanted = ", ".join(asked.patterns)
        self._say(f"! permission requested: {asked.permission} ({wanted}); auto-rejecting", _BOLD)

    def notice(self, text: str) -> None:
        self._say(text, _DIM)

    def _finish_text(self, part: TextPart) -> None:
        """Write what has not streamed yet, and end the line."""
        streamed = self._streamed.pop(part.id, "")
        rest = part.text[len(streamed) :] if part.text.startswith(streamed) else ""
        if streamed or part.text:
            self._write(self._out, rest + "\n")

    def _say(self, text: str, style: str = "") -> None:
        self._write(self._err, f"{style}{text}{_PLAIN}\n" if self._colours and style else f"{text}\n")

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()


class JsonOutput:
    """One object per line on stdout: ``{"type", "timestamp", "sessionID", ...}``."""

    def __init__(self, session_id: str, clock: Clock, *, thinking: bool, out: TextIO = sys.stdout) -> None:
        self._session_id = session_id
        self._clock = clock
        self._thinking = thinking
        self._out = out

    def header(self, agent: str, model: str) -> None:
        """Nothing: the lines are the parts."""

    def delta(self, delta: MessagePartDelta) -> None:
        """Nothing: the finished part is a line."""

    def part(self, part: Part) -> None:
        match part:
            case StepStartPart():
                self._line("step_start", part=part)
            case StepFinishPart():
                self._line("step_finish", part=part)
            case TextPart():
                self._line("text", part=part)
            case ToolPart():
                self._line("tool_use", part=part)
            case ReasoningPart() if self._thinking:
                self._line("reasoning", part=part)

    def error(self, error: MessageError | None, message: str) -> None:
        self._line("error", error=error or {"name": "UnknownError", "data": {"message": message}})

    def refused(self, asked: PermissionAsked) -> None:
        """Nothing: the tool's error is a line."""

    def notice(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def _line(self, kind: str, **extra: Any) -> None:
        line = {"type": kind, "timestamp": self._clock.now_ms(), "sessionID": self._session_id, **extra}
        self._out.write(encode(line).decode() + "\n")
        self._out.flush()


def error_message(error: MessageError) -> str:
    """What a message's error says, or its name."""
    data: Any = error.data
    message = data.get("message") if isinstance(data, dict) else getattr(data, "message", UNSET)
    return message if isinstance(message, str) and message else str(msgspec.to_builtins(error).get("name"))
