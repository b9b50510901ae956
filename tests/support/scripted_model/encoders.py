"""The wire formats, as the real providers stream them."""

import json
import struct
from typing import Any, Protocol
from zlib import crc32

from tests.support.scripted_model.script import Call, Reasoning, Redacted, StreamError, Turn, pieces

Json = dict[str, Any]


class Encoder(Protocol):
    """Writes one answer."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None: ...
    def start(self) -> bytes: ...
    def text(self, piece: str) -> bytes: ...
    def reasoning(self, op: Reasoning) -> list[bytes]: ...
    def redacted(self, op: Redacted) -> bytes: ...
    def call(self, op: Call) -> list[bytes]: ...
    def error(self, op: StreamError) -> bytes: ...
    def end(self) -> bytes: ...


def event(data: Json, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def arguments_of(op: Call) -> str:
    return op.raw if op.raw is not None else json.dumps(op.arguments, separators=(",", ":"))


class ChatEncoder:
    """OpenAI Chat Completions."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None:
        self.turn, self.model, self.calls = turn, body.get("model"), 0
        self.base = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1, "model": self.model}

    def chunk(self, delta: Json, finish: str | None = None) -> bytes:
        return event({**self.base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def start(self) -> bytes:
        return self.chunk({"role": "assistant", "content": ""})

    def text(self, piece: str) -> bytes:
        return self.chunk({"content": piece})

    def reasoning(self, op: Reasoning) -> list[bytes]:
        return [self.chunk({"reasoning_content": piece}) for piece in pieces(op.text, op.chunks)]

    def redacted(self, op: Redacted) -> bytes:
        return b""

    def call(self, op: Call) -> list[bytes]:
        index = self.calls if op.index is None else op.index
        self.calls += 1
        head = {"index": index, "id": op.id, "type": "function", "function": {"name": op.name, "arguments": ""}}
        return [
            self.chunk({"tool_calls": [head]}),
            *(
                self.chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
                for piece in pieces(arguments_of(op), op.chunks)
            ),
        ]

    def error(self, op: StreamError) -> bytes:
        return event({"error": {"message": op.message, "type": op.type, "code": op.code}})

    def end(self) -> bytes:
        tokens = self.turn.tokens
        usage = {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
            "prompt_tokens_details": {"cached_tokens": tokens.cached},
            "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
        }
        final = self.chunk({}, self.turn.finish_reason)
        return final + event({**self.base, "choices": [], "usage": usage}) + b"data: [DONE]\n\n"


class AnthropicEncoder:
    """Anthropic Messages. One block per operation; text of one answer stays in one block."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None:
        self.turn, self.model, self.number = turn, body.get("model"), number
        self.index, self.text_open = -1, False

    def event(self, kind: str, **data: Any) -> bytes:
        return event({"type": kind, **data}, kind)

    def start(self) -> bytes:
        tokens = self.turn.tokens
        usage = {
            "input_tokens": tokens.input - tokens.cached,
            "cache_read_input_tokens": tokens.cached,
            "cache_creation_input_tokens": tokens.cache_write,
            "output_tokens": 1,
        }
        message = {
            "id": f"msg_{self.number}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": self.model,
            "stop_reason": None,
            "usage": usage,
        }
        return self.event("message_start", message=message) + self.event("ping")

    def open(self, block: Json) -> bytes:
        closed = self.close_text()
        self.index += 1
        return closed + self.event("content_block_start", index=self.index, content_block=block)

    def delta(self, kind: str, **data: Any) -> bytes:
        return self.event("content_block_delta", index=self.index, delta={"type": kind, **data})

    def stop(self) -> bytes:
        return self.event("content_block_stop", index=self.index)

    def close_text(self) -> bytes:
        closed = self.stop() if self.text_open else b""
        self.text_open = False
        return closed

    def text(self, piece: str) -> bytes:
        opened = b"" if self.text_open else self.open({"type": "text", "text": ""})
        self.text_open = True
        return opened + self.delta("text_delta", text=piece)

    def reasoning(self, op: Reasoning) -> list[bytes]:
        return [
            self.open({"type": "thinking", "thinking": "", "signature": ""}),
            *(self.delta("thinking_delta", thinking=piece) for piece in pieces(op.text, op.chunks)),
            self.delta("signature_delta", signature=op.seal) + self.stop(),
        ]

    def redacted(self, op: Redacted) -> bytes:
        return self.open({"type": "redacted_thinking", "data": op.data}) + self.stop()

    def call(self, op: Call) -> list[bytes]:
        return [
            self.open({"type": "tool_use", "id": op.id, "name": op.name, "input": {}}),
            *(self.delta("input_json_delta", partial_json=piece) for piece in pieces(arguments_of(op), op.chunks)),
            self.stop(),
        ]

    def error(self, op: StreamError) -> bytes:
        return self.event("error", error={"type": op.type, "message": op.message})

    def end(self) -> bytes:
        finish = self.turn.finish_reason
        reason = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
        delta = {"stop_reason": reason.get(finish, finish), "stop_sequence": None}
        usage = {"output_tokens": self.turn.tokens.output}
        return self.close_text() + self.event("message_delta", delta=delta, usage=usage) + self.event("message_stop")


class ResponsesEncoder:
    """OpenAI Responses."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None:
        self.turn, self.model, self.number = turn, body.get("model"), number
        self.sequence, self.index = 0, -1
        self.open_text: list[str] | None = None

    def event(self, kind: str, **data: Any) -> bytes:
        self.sequence += 1
        return event({"type": kind, "sequence_number": self.sequence, **data}, kind)

    def response(self, status: str, **more: Any) -> Json:
        head = {"id": f"resp_{self.number}", "object": "response", "created_at": 1, "model": self.model}
        return {**head, "status": status, "output": [], "tools": [], "tool_choice": "auto", **more}

    def start(self) -> bytes:
        return self.event("response.created", response=self.response("in_progress"))

    def item(self, prefix: str) -> str:
        return f"{prefix}_{self.number}_{self.index}"

    def add(self, prefix: str, **item: Any) -> bytes:
        closed = self.close_text()
        self.index += 1
        item = {"id": self.item(prefix), **item}
        return closed + self.event("response.output_item.added", output_index=self.index, item=item)

    def done(self, prefix: str, **item: Any) -> bytes:
        item = {"id": self.item(prefix), **item}
        return self.event("response.output_item.done", output_index=self.index, item=item)

    def text(self, piece: str) -> bytes:
        opened = b""
        if self.open_text is None:
            opened = self.add("msg", type="message", status="in_progress", role="assistant", content=[])
            self.open_text = []
        self.open_text.append(piece)
        place = {"item_id": self.item("msg"), "output_index": self.index, "content_index": 0}
        return opened + self.event("response.output_text.delta", **place, delta=piece)

    def close_text(self) -> bytes:
        if self.open_text is None:
            return b""
        content = [{"type": "output_text", "text": "".join(self.open_text), "annotations": []}]
        self.open_text = None
        return self.done("msg", type="message", status="completed", role="assistant", content=content)

    def reasoning(self, op: Reasoning) -> list[bytes]:
        added = self.add("rs", type="reasoning", summary=[], encrypted_content=None)
        place = {"item_id": self.item("rs"), "output_index": self.index, "summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        summary = [{"type": "summary_text", "text": op.text}]
        return [
            added + self.event("response.reasoning_summary_part.added", **place, part=part),
            *(
                self.event("response.reasoning_summary_text.delta", **place, delta=piece)
                for piece in pieces(op.text, op.chunks)
            ),
            self.done("rs", type="reasoning", summary=summary, encrypted_content=op.seal),
        ]

    def redacted(self, op: Redacted) -> bytes:
        return b""

    def call(self, op: Call) -> list[bytes]:
        head = {"type": "function_call", "call_id": op.id, "name": op.name}
        arguments = arguments_of(op)
        added = self.add("fc", **head, arguments="")
        place = {"item_id": self.item("fc"), "output_index": self.index}
        return [
            added,
            *(
                self.event("response.function_call_arguments.delta", **place, delta=piece)
                for piece in pieces(arguments, op.chunks)
            ),
            self.done("fc", **head, status="completed", arguments=arguments),
        ]

    def error(self, op: StreamError) -> bytes:
        return self.event("error", error={"type": op.type, "code": op.code, "message": op.message})

    def end(self) -> bytes:
        tokens, finish = self.turn.tokens, self.turn.finish_reason
        usage = {
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
            "input_tokens_details": {"cached_tokens": tokens.cached},
            "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        }
        closed = self.close_text()
        if finish in ("stop", "tool_calls"):
            return closed + self.event("response.completed", response=self.response("completed", usage=usage))
        reason = {"length": "max_output_tokens"}.get(finish, finish)
        incomplete = self.response("incomplete", usage=usage, incomplete_details={"reason": reason})
        return closed + self.event("response.incomplete", response=incomplete)


class GoogleEncoder:
    """Gemini's ``streamGenerateContent``. Calls come whole; a thought's seal comes with its last piece."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None:
        self.turn = turn

    def parts(self, *parts: Json) -> bytes:
        return event({"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0}]})

    def start(self) -> bytes:
        return b""

    def text(self, piece: str) -> bytes:
        return self.parts({"text": piece})

    def reasoning(self, op: Reasoning) -> list[bytes]:
        *first, last = pieces(op.text, op.chunks)
        return [
            *(self.parts({"text": piece, "thought": True}) for piece in first),
            self.parts({"text": last, "thought": True, "thoughtSignature": op.seal}),
        ]

    def redacted(self, op: Redacted) -> bytes:
        return b""

    def call(self, op: Call) -> list[bytes]:
        signed = {"thoughtSignature": f"seal of {op.id}"}
        return [self.parts({"functionCall": {"id": op.id, "name": op.name, "args": op.arguments}, **signed})]

    def error(self, op: StreamError) -> bytes:
        return event({"error": {"code": 503, "message": op.message, "status": "UNAVAILABLE"}})

    def end(self) -> bytes:
        tokens, finish = self.turn.tokens, self.turn.finish_reason
        reasons = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
        usage = {
            "promptTokenCount": tokens.input,
            "cachedContentTokenCount": tokens.cached,
            "candidatesTokenCount": tokens.output - tokens.reasoning,
            "thoughtsTokenCount": tokens.reasoning,
            "totalTokenCount": tokens.input + tokens.output,
        }
        last = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": reasons.get(finish, finish)}
        return event({"candidates": [last], "usageMetadata": usage})


class BedrockEncoder:
    """Amazon Bedrock's ``ConverseStream``, in binary frames."""

    def __init__(self, turn: Turn, body: Json, number: int) -> None:
        self.turn = turn
        self.index, self.text_open = -1, False

    def event(self, kind: str, **payload: Any) -> bytes:
        return amazon_frame({":message-type": "event", ":event-type": kind}, payload)

    def delta(self, **delta: Any) -> bytes:
        return self.event("contentBlockDelta", contentBlockIndex=self.index, delta=delta)

    def stop(self) -> bytes:
        return self.event("contentBlockStop", contentBlockIndex=self.index)

    def close_text(self) -> bytes:
        closed = self.stop() if self.text_open else b""
        self.text_open = False
        return closed

    def start(self) -> bytes:
        return self.event("messageStart", role="assistant")

    def text(self, piece: str) -> bytes:
        if not self.text_open:
            self.index, self.text_open = self.index + 1, True
        return self.delta(text=piece)

    def reasoning(self, op: Reasoning) -> list[bytes]:
        closed = self.close_text()
        self.index += 1
        return [
            closed,
            *(self.delta(reasoningContent={"text": piece}) for piece in pieces(op.text, op.chunks)),
            self.delta(reasoningContent={"signature": op.seal}) + self.stop(),
        ]

    def redacted(self, op: Redacted) -> bytes:
        closed = self.close_text()
        self.index += 1
        return closed + self.delta(reasoningContent={"redactedContent": op.data}) + self.stop()

    def call(self, op: Call) -> list[bytes]:
        closed = self.close_text()
        self.index += 1
        tool = {"toolUse": {"toolUseId": op.id, "name": op.name}}
        return [
            closed + self.event("contentBlockStart", contentBlockIndex=self.index, start=tool),
            *(self.delta(toolUse={"input": piece}) for piece in pieces(arguments_of(op), op.chunks)),
            self.stop(),
        ]

    def error(self, op: StreamError) -> bytes:
        headers = {":message-type": "exception", ":exception-type": op.type or "modelStreamErrorException"}
        return amazon_frame(headers, {"message": op.message})

    def end(self) -> bytes:
        tokens, finish = self.turn.tokens, self.turn.finish_reason
        reason = {
            "stop": "end_turn",
            "tool_calls": "tool_use",
            "length": "max_tokens",
            "content_filter": "content_filtered",
        }
        usage = {
            "inputTokens": tokens.input - tokens.cached,
            "outputTokens": tokens.output,
            "cacheReadInputTokens": tokens.cached,
            "cacheWriteInputTokens": tokens.cache_write,
        }
        return (
            self.close_text()
            + self.event("messageStop", stopReason=reason.get(finish, finish))
            + self.event("metadata", usage=usage, metrics={"latencyMs": 1})
        )


def amazon_frame(headers: dict[str, str], payload: Json) -> bytes:
    """One message of an Amazon event stream."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + body
    return message + struct.pack("!I", crc32(message))


ENCODERS: dict[str, type[Encoder]] = {
    "/chat/completions": ChatEncoder,
    "/messages": AnthropicEncoder,
    "/responses": ResponsesEncoder,
    ":streamGenerateContent?alt=sse": GoogleEncoder,
    ":streamRawPredict": AnthropicEncoder,
    "/converse-stream": BedrockEncoder,
    "/chat/completions?api-version=v1": ChatEncoder,
    "/responses?api-version=v1": ResponsesEncoder,
}
