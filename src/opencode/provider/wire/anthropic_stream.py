"""Anthropic Messages: how the stream of an answer is read."""

from collections.abc import Iterator
from typing import Any

import msgspec

from opencode.provider.failures import ended_early, stream_failure
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

METADATA_KEY = "anthropic"
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content-filter",
}


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    usage: Any = None
    error: Any = None


class _Block:
    """A content block whose pieces are still coming."""

    __slots__ = ("call_id", "id", "name", "pieces", "redacted", "signature", "type")

    def __init__(self, index: int, block: dict[str, Any]) -> None:
        self.type = str(block.get("type") or "")
        self.id = str(index)
        self.call_id = str(block.get("id") or "")
        self.name = str(block.get("name") or "")
        self.pieces: list[str] = []
        self.signature = str(block.get("signature") or "")
        self.redacted = block.get("data")


_DECODER = msgspec.json.Decoder(_Event)


class AnthropicDecoder:
    """Reads one answer, block by block. Blocks of unknown kinds are passed over."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage: dict[str, Any] = {}

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Our events for one event."""
        event = read(_DECODER, data)
        match event.type:
            case "content_block_delta":
                block = self._blocks.get(event.index)
                if block is not None and event.delta is not None:
                    yield from _piece(block, event.delta)
            case "content_block_start":
                block = self._blocks[event.index] = _Block(event.index, event.content_block or {})
                yield from _opened(block, event.content_block or {})
            case "content_block_stop":
                block = self._blocks.pop(event.index, None)
                if block is not None:
                    yield from _closed(block)
            case "message_start":
                self._count((event.message or {}).get("usage"))
            case "message_delta":
                self._count(event.usage)
                if event.delta is not None and event.delta.stop_reason:
                    self._stop_reason = event.delta.stop_reason
            case "error":
                raise stream_failure({"type": "error", "error": event.error})

    def finish(self) -> Iterator[StreamEvent]:
        """Close what is open. Without a stop reason the answer was cut."""
        if self._stop_reason is None:
            raise ended_early()
        for block in self._blocks.values():
            yield from _closed(block)
        yield StepFinish(reason=FINISH_REASONS.get(self._stop_reason, "other"), usage=_usage(self._usage))

    def _count(self, usage: Any) -> None:
        """Counts are cumulative: a later one replaces an earlier one."""
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}


def _opened(block: _Block, content: dict[str, Any]) -> Iterator[StreamEvent]:
    match block.type:
        case "text":
            yield TextStart(id=block.id)
            if content.get("text"):
                yield TextDelta(id=block.id, text=content["text"])
        case "thinking":
            yield ReasoningStart(id=block.id)
            if content.get("thinking"):
                yield ReasoningDelta(id=block.id, text=content["thinking"])
        case "redacted_thinking":
            yield ReasoningStart(id=block.id, metadata={METADATA_KEY: {"redactedData": block.redacted}})
        case "tool_use":
            yield ToolInputStart(call_id=block.call_id, name=block.name)
            if content.get("input"):
                block.pieces.append(msgspec.json.encode(content["input"]).decode())


def _piece(block: _Block, delta: _Delta) -> Iterator[StreamEvent]:
    match delta.type:
        case "text_delta":
            yield TextDelta(id=block.id, text=delta.text)
        case "thinking_delta":
            yield ReasoningDelta(id=block.id, text=delta.thinking)
        case "signature_delta":
            block.signature += delta.signature
            # Clients of the official server see an empty delta here.
            yield ReasoningDelta(id=block.id, text="")
        case "input_json_delta" if block.type == "tool_use" and delta.partial_json:
            block.pieces.append(delta.partial_json)
            yield ToolInputDelta(call_id=block.call_id, text=delta.partial_json)


def _closed(block: _Block) -> Iterator[StreamEvent]:
    match block.type:
        case "text":
            yield TextEnd(id=block.id)
        case "thinking":
            signed = {METADATA_KEY: {"signature": block.signature}} if block.signature else None
            yield ReasoningEnd(id=block.id, metadata=signed)
        case "redacted_thinking":
            yield ReasoningEnd(id=block.id, metadata={METADATA_KEY: {"redactedData": block.redacted}})
        case "tool_use":
            value, fault = parsed_arguments("".join(block.pieces))
            yield ToolCall(call_id=block.call_id, name=block.name, input=value, fault=fault)


def _usage(usage: dict[str, Any]) -> Usage:
    """The API counts cached tokens apart; ours are counted in."""
    cached, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    tokens_in, tokens_out = count(usage, "input_tokens") + cached + written, count(usage, "output_tokens")
    return Usage(
        input=tokens_in,
        output=tokens_out,
        cache_read=cached,
        cache_write=written,
        total=tokens_in + tokens_out,
    )
