"""OpenAI Responses: how the stream of an answer is read."""

from collections.abc import Iterator
from typing import Any

import msgspec

from opencode.provider.failures import ended_early, stream_failure
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

METADATA_KEY = "openai"
INCOMPLETE_REASONS = {"max_output_tokens": "length", "content_filter": "content-filter"}


class _Event(msgspec.Struct):
    type: str = ""
    item_id: str = ""
    output_index: int = 0
    summary_index: int = 0
    delta: Any = None
    item: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    copilot_usage: Any = None
    error: Any = None
    message: str | None = None
    code: str | None = None


_DECODER = msgspec.json.Decoder(_Event)


class ResponsesDecoder:
    """Reads one answer. Parts are known by their item's place: ids may change between events of one item."""

    def __init__(self) -> None:
        self._items: dict[int, str] = {}
        self._calls: dict[int, str] = {}
        self._summaries: dict[int, list[int]] = {}
        self._text_open: set[int] = set()
        self._has_calls = False
        self._response: dict[str, Any] | None = None
        self._bill: Metadata = {}

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Our events for one event; unknown kinds are passed over."""
        if data == b"[DONE]":
            return
        event = read(_DECODER, data)
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                yield from self._text(event)
            case "response.function_call_arguments.delta":
                if event.output_index in self._calls:
                    yield ToolInputDelta(call_id=self._calls[event.output_index], text=event.delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield from self._reasoning(event)
            case "response.reasoning_summary_part.added":
                yield from self._summary(event.output_index, event.summary_index)
            case "response.output_item.added":
                yield from self._added(event.output_index, event.item or {})
            case "response.output_item.done":
                yield from self._done(event.output_index, event.item or {})
            case "response.completed" | "response.incomplete":
                self._response = event.response or {}
                self._bill = copilot_bill({"copilot_usage": event.copilot_usage}, event.response) or self._bill
            case "response.failed":
                raise stream_failure((event.response or {}).get("error") or "The provider says that it failed")
            case "error":
                raise stream_failure(event.error or {"message": event.message, "code": event.code})

    def finish(self) -> Iterator[StreamEvent]:
        """Close what is open. Without a completed response the answer was cut."""
        if self._response is None:
            raise ended_early()
        for index in sorted(self._text_open):
            yield TextEnd(id=self._items[index], metadata=_metadata(self._items[index]))
        for index in list(self._summaries):
            yield from self._reasoning_done(index, None)
        details = self._response.get("incomplete_details") or {}
        if details.get("reason"):
            reason = INCOMPLETE_REASONS.get(details["reason"], "other")
        else:
            reason = "tool-calls" if self._has_calls else "stop"
        yield StepFinish(
            reason=reason,
            usage=_usage(self._response.get("usage")),
            metadata={METADATA_KEY: {"responseId": self._response.get("id")}, **self._bill},
        )

    def _added(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        item_id = str(item.get("id") or f"item_{index}")
        self._items[index] = item_id
        match item.get("type"):
            case "message":
                yield from self._open_text(index)
            case "reasoning":
                self._summaries[index] = [0]
                encrypted = item.get("encrypted_content")
                yield ReasoningStart(id=f"{item_id}:0", metadata=_metadata(item_id, encrypted, reasoning=True))
            case "function_call":
                self._calls[index] = str(item.get("call_id") or item_id)
                yield ToolInputStart(call_id=self._calls[index], name=str(item.get("name") or ""))

    def _done(self, index: int, item: dict[str, Any]) -> Iterator[StreamEvent]:
        item_id = self._items.get(index) or str(item.get("id") or f"item_{index}")
        match item.get("type"):
            case "message" if index in self._text_open:
                self._text_open.discard(index)
                yield TextEnd(id=item_id, metadata=_metadata(item_id))
            case "reasoning":
                yield from self._reasoning_done(index, item.get("encrypted_content"))
            case "function_call":
                if index not in self._calls:
                    yield from self._added(index, item)
                self._has_calls = True
                value, fault = parsed_arguments(str(item.get("arguments") or ""))
                yield ToolCall(
                    call_id=self._calls[index],
                    name=str(item.get("name") or ""),
                    input=value,
                    metadata=_metadata(item_id),
                    fault=fault,
                )

    def _open_text(self, index: int) -> Iterator[StreamEvent]:
        self._text_open.add(index)
        item_id = self._items[index]
        yield TextStart(id=item_id, metadata=_metadata(item_id))

    def _text(self, event: _Event) -> Iterator[StreamEvent]:
        index = event.output_index
        if index not in self._text_open:
            self._items.setdefault(index, event.item_id)
            yield from self._open_text(index)
        yield TextDelta(id=self._items[index], text=event.delta)

    def _summary(self, index: int, summary: int) -> Iterator[StreamEvent]:
        """Each summary of a reasoning item after the first is a reasoning part of its own."""
        known = self._summaries.setdefault(index, [])
        if summary not in known:
            known.append(summary)
            item_id = self._items.setdefault(index, f"item_{index}")
            yield ReasoningStart(id=f"{item_id}:{summary}", metadata=_metadata(item_id, None, reasoning=True))

    def _reasoning(self, event: _Event) -> Iterator[StreamEvent]:
        yield from self._summary(event.output_index, event.summary_index)
        yield ReasoningDelta(id=f"{self._items[event.output_index]}:{event.summary_index}", text=event.delta)

    def _reasoning_done(self, index: int, encrypted: Any) -> Iterator[StreamEvent]:
        item_id = self._items.get(index, f"item_{index}")
        for summary in self._summaries.pop(index, []):
            yield ReasoningEnd(id=f"{item_id}:{summary}", metadata=_metadata(item_id, encrypted, reasoning=True))


def _metadata(item_id: str, encrypted: Any = None, *, reasoning: bool = False) -> Metadata:
    if reasoning:
        return {METADATA_KEY: {"itemId": item_id, "reasoningEncryptedContent": encrypted}}
    return {METADATA_KEY: {"itemId": item_id}}


def _usage(usage: Any) -> Usage:
    tokens_in, tokens_out = count(usage, "input_tokens"), count(usage, "output_tokens")
    return Usage(
        input=tokens_in,
        output=tokens_out,
        reasoning=count(usage, "output_tokens_details", "reasoning_tokens"),
        cache_read=count(usage, "input_tokens_details", "cached_tokens"),
        total=count(usage, "total_tokens") or (tokens_in + tokens_out or None),
    )
