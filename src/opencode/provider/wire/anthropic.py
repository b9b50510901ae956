"""Anthropic Messages: how a request is written."""

from collections.abc import Mapping
from typing import Any

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ModelMessage,
    ModelRequest,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.wire.anthropic_stream import METADATA_KEY, AnthropicDecoder
from opencode.provider.wire.content import arguments_object, data_of, joined_turns, tokens_with_thoughts
from opencode.provider.wire.http_model import PlainHttp

Json = dict[str, Any]

DEFAULT_URL = "https://api.anthropic.com/v1"
API_VERSION = "2023-06-01"
EFFORT_BETA = "effort-2025-11-24"
EPHEMERAL = {"type": "ephemeral"}
FALLBACK_MAX_TOKENS = 4096
TOOL_CHOICES = {"auto": {"type": "auto"}, "required": {"type": "any"}, "none": {"type": "none"}}
KEY_HEADERS = {"authorization", "x-api-key"}


class AnthropicMessages(PlainHttp):
    """The wire ``POST /messages``."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or DEFAULT_URL

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return "/messages"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The key, as ``x-api-key``. Raises ``ProviderAuthFailed`` without one."""
        headers = {"anthropic-version": API_VERSION}
        if "effort" in request.options:
            headers["anthropic-beta"] = EFFORT_BETA
        token = connection.options.get("authToken")
        if token:
            return {**headers, "authorization": f"Bearer {token}"}
        if connection.key:
            return {**headers, "x-api-key": connection.key.reveal()}
        if any(name.lower() in KEY_HEADERS for name in connection.headers):
            return headers
        raise ProviderAuthFailed(ProviderID(connection.provider_id), "No API key for this provider")

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """Everything that is set. With thinking on, the API takes no sampling parameters and a larger limit."""
        thinking = _thinking(request.options)
        most = request.max_output_tokens or int(request.model.limit.output) or FALLBACK_MAX_TOKENS
        body: Json = {
            "model": request.model.api.id,
            "max_tokens": tokens_with_thoughts(request.model, most, int((thinking or {}).get("budget_tokens") or 0)),
            "system": _system(request.system),
            "messages": anthropic_messages(request.messages),
            "thinking": thinking,
            "output_config": {"effort": request.options["effort"]} if "effort" in request.options else None,
        }
        if thinking is None or thinking["type"] == "disabled":
            body |= {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.top_k}
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            body["tool_choice"] = _tool_choice(request)
        body["stream"] = True
        return {name: value for name, value in body.items() if value is not None}

    def decoder(self, request: ModelRequest) -> AnthropicDecoder:
        return AnthropicDecoder()


def anthropic_messages(messages: list[ModelMessage]) -> list[Json]:
    """The history, users' turns and tool results joined into one message, with a cache mark on the last two turns."""
    turns = [(role, blocks) for message in messages for role, blocks in [_turn(message)] if blocks]
    for _, blocks in turns[-2:]:
        _mark(blocks)
    joined = joined_turns(turns)
    if joined and joined[-1]["role"] == "assistant":
        _without_final_blanks(joined[-1]["content"])
    return joined


def _turn(message: ModelMessage) -> tuple[str, list[Json]]:
    match message:
        case UserTurn(content=content):
            return "user", [block for part in content if (block := _user_block(part))]
        case AssistantTurn(content=content):
            return "assistant", [block for part in content if (block := _assistant_block(part))]
        case ToolTurn(content=results):
            return "user", [_result(result) for result in results]


def _user_block(part: TextContent | FileContent) -> Json | None:
    if isinstance(part, TextContent):
        return {"type": "text", "text": part.text} if part.text else None
    data = data_of(part.url)
    source = {"type": "base64", "media_type": part.mime, "data": data[1]} if data else {"type": "url", "url": part.url}
    if part.mime.startswith("image/"):
        return {"type": "image", "source": source}
    if part.mime == "application/pdf":
        titled = {"title": part.filename} if part.filename else {}
        return {"type": "document", "source": source, **titled}
    return {"type": "text", "text": f"[The file {part.filename or part.mime} cannot be shown to this model]"}


def _assistant_block(part: TextContent | ReasoningContent | ToolCallContent) -> Json | None:
    match part:
        case TextContent(text=text):
            return {"type": "text", "text": text} if text else None
        case ToolCallContent(call_id=call_id, name=name, input=arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": arguments_object(arguments)}
        case ReasoningContent(text=text, metadata=metadata):
            replay = (metadata or {}).get(METADATA_KEY) or {}
            if replay.get("redactedData"):
                return {"type": "redacted_thinking", "data": replay["redactedData"]}
            if replay.get("signature"):
                return {"type": "thinking", "thinking": text, "signature": replay["signature"]}
            return None  # Unsigned reasoning is refused.


def _result(result: ToolResultContent) -> Json:
    content: str | list[Json] = result.output
    if result.files:
        files = [shown for file in result.files if (shown := _user_block(file))]
        content = [{"type": "text", "text": result.output}, *files] if result.output else files
    block: Json = {"type": "tool_result", "tool_use_id": result.call_id, "content": content}
    return {**block, "is_error": True} if result.is_error else block


def _system(texts: list[str]) -> list[Json] | None:
    blocks: list[Json] = [{"type": "text", "text": text} for text in texts if text]
    for block in blocks[:2]:
        block["cache_control"] = EPHEMERAL
    return blocks or None


def _mark(blocks: list[Json]) -> None:
    """A cache point on the last block that can carry one."""
    if blocks[-1]["type"] not in ("thinking", "redacted_thinking"):
        blocks[-1]["cache_control"] = EPHEMERAL


def _without_final_blanks(blocks: list[Json]) -> None:
    """A prefilled answer may not end in blanks."""
    if blocks[-1]["type"] == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip() or "."


def _thinking(options: Mapping[str, Any]) -> Json | None:
    thinking = options.get("thinking")
    if not isinstance(thinking, dict):
        return None
    renamed = {"budget_tokens" if name == "budgetTokens" else name: value for name, value in thinking.items()}
    return {"type": "enabled", **renamed}


def _tool(tool: ToolDefinition) -> Json:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _tool_choice(request: ModelRequest) -> Json:
    choice = dict(TOOL_CHOICES[request.tool_choice])
    # Forced calls and thinking exclude each other at the API.
    if choice["type"] == "any" and (_thinking(request.options) or {}).get("type") in ("enabled", "adaptive"):
        choice = {"type": "auto"}
    if request.options.get("disableParallelToolUse") and choice["type"] != "none":
        return {**choice, "disable_parallel_tool_use": True}
    return choice
