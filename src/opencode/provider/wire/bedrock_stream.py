"""Amazon Bedrock's ``ConverseStream``: how the stream of an answer is read."""

from collections.abc import Iterator
from typing import Any

import msgspec

from opencode.provider.errors import ApiCallFailed, ContextOverflow, ModelCallError
from opencode.provider.failures import ended_early, is_hopeless, is_overflow
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
from opencode.provider.wire.tolerant import count, read

METADATA_KEY = "bedrock"
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "content-filter",
    "guardrail_intervened": "content-filter",
}
FATAL = {"validationException", "accessDeniedException", "resourceNotFoundException"}


class _ToolDelta(msgspec.Struct):
    input: str = ""


class _ReasoningDelta(msgspec.Struct, rename="camel"):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Delta(msgspec.Struct, rename="camel"):
    text: str | None = None
    tool_use: _ToolDelta | None = None
    reasoning_content: _ReasoningDelta | None = None


class _BlockDelta(msgspec.Struct, rename="camel"):
    content_block_index: int = 0
    delta: _Delta | None = None


class _ToolStart(msgspec.Struct, rename="camel"):
    tool_use_id: str = ""
    name: str = ""


class _Start(msgspec.Struct, rename="camel"):
    tool_use: _ToolStart | None = None


class _BlockStart(msgspec.Struct, rename="camel"):
    content_block_index: int = 0
    start: _Start | None = None


class _BlockStop(msgspec.Struct, rename="camel"):
    content_block_index: int = 0


class _Stop(msgspec.Struct, rename="camel"):
    stop_reason: str = ""


class _Metadata(msgspec.Struct):
    usage: Any = None


class _Event(msgspec.Struct, rename="camel"):
    content_block_start: _BlockStart | None = None
    content_block_delta: _BlockDelta | None = None
    content_block_stop: _BlockStop | None = None
    message_stop: _Stop | None = None
    metadata: _Metadata | None = None
    exception: dict[str, Any] | None = None


class _Block:
    """A content block whose pieces are still coming; texts and thoughts are not announced."""

    __slots__ = ("call_id", "id", "kind", "name", "pieces", "redacted", "signature")

    def __init__(self, index: int, kind: str, call_id: str = "", name: str = "") -> None:
        self.id = str(index)
        self.kind = kind
        self.call_id = call_id
        self.name = name
        self.pieces: list[str] = []
        self.signature = ""
        self.redacted = ""


_DECODER = msgspec.json.Decoder(_Event)


class BedrockDecoder:
    """Reads one answer, block by block. Events of unknown kinds are passed over."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage: Any = None

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Our events for one event: ``{"<type>": payload}``."""
        event = read(_DECODER, data)
        if event.content_block_delta is not None:
            yield from self._delta(event.content_block_delta)
        elif event.content_block_start is not None:
            yield from self._start(event.content_block_start)
        elif event.content_block_stop is not None:
            block = self._blocks.pop(event.content_block_stop.content_block_index, None)
            if block is not None:
                yield from _closed(block)
        elif event.message_stop is not None:
            self._stop_reason = event.message_stop.stop_reason
        elif event.metadata is not None:
            self._usage = event.metadata.usage or self._usage
        elif event.exception is not None:
            raise _failure(event.exception)

    def finish(self) -> Iterator[StreamEvent]:
        """Close what is open. Without a stop reason the answer was cut."""
        if self._stop_reason is None:
            raise ended_early()
        for block in self._blocks.values():
            yield from _closed(block)
        yield StepFinish(reason=FINISH_REASONS.get(self._stop_reason, "other"), usage=_tokens(self._usage))

    def _start(self, event: _BlockStart) -> Iterator[StreamEvent]:
        call = event.start.tool_use if event.start else None
        if call is not None:
            block = _Block(event.content_block_index, "tool", call.tool_use_id, call.name)
            self._blocks[event.content_block_index] = block
            yield ToolInputStart(call_id=call.tool_use_id, name=call.name)

    def _delta(self, event: _BlockDelta) -> Iterator[StreamEvent]:
        delta, index = event.delta or _Delta(), event.content_block_index
        block = self._blocks.get(index)
        if delta.text is not None:
            if block is None:
                block = self._blocks[index] = _Block(index, "text")
                yield TextStart(id=block.id)
            yield TextDelta(id=block.id, text=delta.text)
        elif delta.tool_use is not None and block is not None:
            block.pieces.append(delta.tool_use.input)
            if delta.tool_use.input:
                yield ToolInputDelta(call_id=block.call_id, text=delta.tool_use.input)
        elif delta.reasoning_content is not None:
            if block is None:
                block = self._blocks[index] = _Block(index, "reasoning")
                yield ReasoningStart(id=block.id)
            block.signature += delta.reasoning_content.signature or ""
            block.redacted += delta.reasoning_content.redacted_content or ""
            if delta.reasoning_content.text:
                yield ReasoningDelta(id=block.id, text=delta.reasoning_content.text)


def _closed(block: _Block) -> Iterator[StreamEvent]:
    match block.kind:
        case "text":
            yield TextEnd(id=block.id)
        case "reasoning":
            said = {"redactedData": block.redacted} if block.redacted else {"signature": block.signature}
            yield ReasoningEnd(id=block.id, metadata={METADATA_KEY: said} if any(said.values()) else None)
        case "tool":
            value, fault = parsed_arguments("".join(block.pieces))
            yield ToolCall(call_id=block.call_id, name=block.name, input=value, fault=fault)


def _failure(exception: dict[str, Any]) -> ModelCallError:
    """``{"type", "message"}``: what the provider says when it gives up in the middle."""
    message, kind = str(exception.get("message") or exception.get("type") or "Unknown error"), exception.get("type")
    if is_overflow(message):
        return ContextOverflow(message)
    may_pass = kind not in FATAL and not is_hopeless(message)
    return ApiCallFailed(message, is_retryable=may_pass, metadata={"code": str(kind)})


def _tokens(usage: Any) -> Usage:
    """The API counts cached tokens apart; ours are counted in."""
    cached, written = count(usage, "cacheReadInputTokens"), count(usage, "cacheWriteInputTokens")
    tokens_in, tokens_out = count(usage, "inputTokens") + cached + written, count(usage, "outputTokens")
    return Usage(
        input=tokens_in, output=tokens_out, cache_read=cached, cache_write=written, total=tokens_in + tokens_out
    )
