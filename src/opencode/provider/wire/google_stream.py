"""Google's ``generateContent``: how the stream of an answer is read."""

import secrets
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from opencode.core.wire import encode
from opencode.provider.errors import ApiCallFailed
from opencode.provider.failures import ended_early, is_hopeless, is_retryable_status, stream_failure
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
from opencode.provider.wire.tolerant import count, read

METADATA_KEY = "google"
FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content-filter",
    "IMAGE_SAFETY": "content-filter",
    "RECITATION": "content-filter",
    "BLOCKLIST": "content-filter",
    "PROHIBITED_CONTENT": "content-filter",
    "SPII": "content-filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
}
Kind = Literal["text", "reasoning"]


class _FunctionCall(msgspec.Struct):
    name: str = ""
    args: dict[str, Any] | None = None
    id: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: Any = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Chunk)


class GoogleDecoder:
    """Reads one answer. Calls come whole; a text or a thought goes on until something else comes."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._count = 0
        self._signature: str | None = None
        self._has_calls = False
        self._finish: str | None = None
        self._usage: Any = None

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Our events for one chunk."""
        chunk = read(_DECODER, data)
        if chunk.error is not None:
            raise _failure(chunk.error)
        if chunk.usage_metadata is not None:
            self._usage = chunk.usage_metadata
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self._finish = "SAFETY"
        for candidate in (chunk.candidates or [])[:1]:
            for part in (candidate.content.parts if candidate.content else None) or []:
                yield from self._part(part)
            self._finish = candidate.finish_reason or self._finish

    def finish(self) -> Iterator[StreamEvent]:
        """Close what is open. Without a reason to finish the answer was cut."""
        if self._finish is None:
            raise ended_early()
        yield from self._close()
        reason = FINISH_REASONS.get(self._finish, "other")
        yield StepFinish(
            reason="tool-calls" if reason == "stop" and self._has_calls else reason, usage=_tokens(self._usage)
        )

    def _part(self, part: _Part) -> Iterator[StreamEvent]:
        if part.function_call is not None:
            yield from self._close()
            yield from self._call(part.function_call, _signed(part.thought_signature))
            return
        if part.text is None:
            return
        kind: Kind = "reasoning" if part.thought else "text"
        if kind != self._kind and (part.text or part.thought_signature):
            yield from self._close()
            self._kind, self._count = kind, self._count + 1
            yield ReasoningStart(id=self._id) if kind == "reasoning" else TextStart(id=self._id)
        self._signature = part.thought_signature or self._signature
        if part.text:
            delta = ReasoningDelta if kind == "reasoning" else TextDelta
            yield delta(id=self._id, text=part.text)

    def _call(self, call: _FunctionCall, metadata: Metadata | None) -> Iterator[StreamEvent]:
        self._has_calls = True
        call_id, arguments = call.id or f"call_{secrets.token_hex(12)}", call.args or {}
        yield ToolInputStart(call_id=call_id, name=call.name)
        yield ToolInputDelta(call_id=call_id, text=encode(arguments).decode())
        yield ToolCall(call_id=call_id, name=call.name, input=arguments, metadata=metadata)

    def _close(self) -> Iterator[StreamEvent]:
        if self._kind is not None:
            end = ReasoningEnd if self._kind == "reasoning" else TextEnd
            yield end(id=self._id, metadata=_signed(self._signature))
        self._kind, self._signature = None, None

    @property
    def _id(self) -> str:
        return f"{self._kind}-{self._count}"


def _signed(signature: str | None) -> Metadata | None:
    return {METADATA_KEY: {"thoughtSignature": signature}} if signature else None


def _failure(error: Any) -> Exception:
    """Errors within a stream carry the status that the answer itself would have had."""
    status = error.get("code") if isinstance(error, dict) else None
    failure = stream_failure(error)
    if isinstance(failure, ApiCallFailed) and isinstance(status, int):
        may_pass = is_retryable_status(status) and not is_hopeless(failure.message)
        failure.status_code, failure.is_retryable = status, may_pass
    return failure


def _tokens(usage: Any) -> Usage:
    """The API counts thoughts apart from the answer; ours are counted in."""
    thoughts = count(usage, "thoughtsTokenCount")
    return Usage(
        input=count(usage, "promptTokenCount"),
        output=count(usage, "candidatesTokenCount") + thoughts,
        reasoning=thoughts,
        cache_read=count(usage, "cachedContentTokenCount"),
        total=count(usage, "totalTokenCount") or None,
    )
