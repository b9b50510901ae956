"""OpenAI Chat Completions: how the stream of an answer is read."""

import secrets
from collections.abc import Iterator
from typing import Any

import msgspec

from opencode.provider.failures import chunk_failure, ended_early
from opencode.provider.request import Metadata
from opencode.provider.stream import (
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    StepFinish,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    Usage,
)
from opencode.provider.wire.content import parsed_arguments
from opencode.provider.wire.tolerant import copilot_bill, count, read

METADATA_KEY = "openaiCompatible"
TEXT_ID = "txt-0"
FINISH_REASONS = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "error": "error",
}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    copilot_usage: Any = None
    x_groq: Any = None
    error: Any = None


class _OpenCall:
    """A tool call whose arguments are still coming."""

    __slots__ = ("call_id", "is_done", "name", "pieces")

    def __init__(self, call_id: str, name: str) -> None:
        self.call_id = call_id
        self.name = name
        self.pieces: list[str] = []
        self.is_done = False


_DECODER = msgspec.json.Decoder(_Chunk)


class ChatDecoder:
    """Reads one answer. A tool call is whole when the next one begins or the model says that it has finished."""

    def __init__(self) -> None:
        self._text_open = False
        self._reasoning_open = False
        self._reasoning_id = ""
        self._reasoning_count = 0
        self._details: list[dict[str, Any]] = []
        self._calls: list[_OpenCall] = []
        self._by_index: dict[int, _OpenCall] = {}
        self._finish: str | None = None
        self._usage: Any = None
        self._bill: Metadata | None = None

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Our events for one chunk."""
        if data == b"[DONE]":
            return
        chunk = read(_DECODER, data)
        if chunk.error is not None:
            raise chunk_failure(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        elif isinstance(chunk.x_groq, dict) and chunk.x_groq.get("usage") is not None:
            self._usage = chunk.x_groq["usage"]
        if chunk.copilot_usage is not None:
            self._bill = copilot_bill({"copilot_usage": chunk.copilot_usage}) or self._bill
        if chunk.choices:
            choice = chunk.choices[0]
            if choice.delta is not None:
                yield from self._delta(choice.delta)
            if choice.finish_reason:
                self._finish = choice.finish_reason
                yield from self._whole_calls()

    def finish(self) -> Iterator[StreamEvent]:
        """Close what is open. Without a finish reason the answer was cut."""
        if self._finish is None:
            raise ended_early()
        yield from self._close_reasoning()
        if self._text_open:
            yield TextEnd(id=TEXT_ID)
        for call in self._calls:
            if not call.is_done:
                yield _whole(call)
        reason = FINISH_REASONS.get(self._finish, "other")
        if self._calls and reason == "stop":
            reason = "tool-calls"
        yield StepFinish(reason=reason, usage=_usage(self._usage), metadata=self._bill)

    def _delta(self, delta: _Delta) -> Iterator[StreamEvent]:
        reasoning = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details:
            self._add_details(delta.reasoning_details)
            reasoning = reasoning or "".join(_detail_text(detail) for detail in delta.reasoning_details)
        if not reasoning and isinstance(delta.content, list):
            reasoning = _thoughts_of(delta.content)
        if reasoning or delta.reasoning_details:
            if not self._reasoning_open:
                self._reasoning_open = True
                self._reasoning_id = f"reasoning-{self._reasoning_count}"
                self._reasoning_count += 1
                yield ReasoningStart(id=self._reasoning_id)
            if reasoning:
                yield ReasoningDelta(id=self._reasoning_id, text=reasoning)
        if delta.content:
            text = delta.content if isinstance(delta.content, str) else _text_of(delta.content)
            if text:
                if self._reasoning_open:
                    yield from self._close_reasoning()
                if not self._text_open:
                    self._text_open = True
                    yield TextStart(id=TEXT_ID)
                yield TextDelta(id=TEXT_ID, text=text)
        if delta.tool_calls:
            yield from self._close_reasoning()
            for piece in delta.tool_calls:
                yield from self._call(piece)

    def _call(self, piece: _Call) -> Iterator[StreamEvent]:
        function = piece.function or _Function()
        index = piece.index if piece.index is not None else max(len(self._by_index) - 1, 0)
        call = self._by_index.get(index)
        # Some servers put every call on index 0: another id is another call.
        if call is None or (piece.id and piece.id != call.call_id and function.name):
            if not function.name:
                return
            yield from self._whole_calls()
            call = _OpenCall(piece.id or f"call_{secrets.token_hex(12)}", function.name)
            self._calls.append(call)
            self._by_index[index] = call
            yield ToolInputStart(call_id=call.call_id, name=call.name)
        arguments = function.arguments
        if arguments:
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
            call.pieces.append(text)
            yield ToolInputDelta(call_id=call.call_id, text=text)

    def _whole_calls(self) -> Iterator[StreamEvent]:
        """The open calls whose arguments are complete. The others wait: more may come, or they are faulty."""
        for call in self._calls:
            if not call.is_done:
                event = _whole(call)
                if event.fault is None and (call.pieces or self._finish is not None):
                    call.is_done = True
                    yield event

    def _close_reasoning(self) -> Iterator[StreamEvent]:
        if self._reasoning_open:
            self._reasoning_open = False
            details = {METADATA_KEY: {"reasoningDetails": self._details}} if self._details else None
            self._details = []
            yield ReasoningEnd(id=self._reasoning_id, metadata=details)

    def _add_details(self, details: list[dict[str, Any]]) -> None:
        """Pieces of one detail are joined: it is replayed whole."""
        for detail in details:
            last = self._details[-1] if self._details else None
            field = next((name for name in ("text", "summary") if isinstance(detail.get(name), str)), None)
            if last and field and last.get("type") == detail.get("type") and last.get("index") == detail.get("index"):
                joined = str(last.get(field) or "") + detail[field]
                self._details[-1] = {**last, **{key: value for key, value in detail.items() if value}, field: joined}
            else:
                self._details.append(dict(detail))


def _whole(call: _OpenCall) -> ToolCall:
    value, fault = parsed_arguments("".join(call.pieces))
    return ToolCall(call_id=call.call_id, name=call.name, input=value, fault=fault)


def _detail_text(detail: dict[str, Any]) -> str:
    text = detail.get("text") or detail.get("summary")
    return text if isinstance(text, str) else ""


def _text_of(content: list[Any]) -> str:
    """The text of content sent as a list of blocks."""
    return "".join(block["text"] for block in content if isinstance(block, dict) and isinstance(block.get("text"), str))


def _thoughts_of(content: list[Any]) -> str:
    """What a model thought, where that comes as a block of its content (Mistral)."""
    return "".join(
        _text_of(block["thinking"])
        for block in content
        if isinstance(block, dict) and isinstance(block.get("thinking"), list)
    )


def _usage(usage: Any) -> Usage:
    tokens_in, tokens_out = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    return Usage(
        input=tokens_in,
        output=tokens_out,
        reasoning=count(usage, "completion_tokens_details", "reasoning_tokens"),
        cache_read=count(usage, "prompt_tokens_details", "cached_tokens"),
        cache_write=count(usage, "prompt_tokens_details", "cache_write_tokens"),
        total=count(usage, "total_tokens") or (tokens_in + tokens_out or None),
    )
