"""OpenAI Chat Completions, as spoken by most providers: how a request is written."""

from collections.abc import Mapping
from typing import Any

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderInitFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ModelMessage,
    ModelRequest,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Interleaved
from opencode.provider.wire.chat_dialect import dialect_of, reasoning_field
from opencode.provider.wire.chat_options import chat_options
from opencode.provider.wire.content import arguments_text, data_of, wants_cache_marks
from opencode.provider.wire.http_model import PlainHttp
from opencode.provider.wire.openai_chat_stream import METADATA_KEY, ChatDecoder

Json = dict[str, Any]

EPHEMERAL = {"type": "ephemeral"}


class OpenAIChat(PlainHttp):
    """The wire ``POST /chat/completions``. Options it does not know are sent as they are."""

    def __init__(self, default_url: str = "", *, asks_for_usage: bool = True) -> None:
        self._default_url = default_url
        self._asks_for_usage = asks_for_usage

    def base_url(self, connection: Connection) -> str:
        if url := connection.base_url or self._default_url:
            return url
        provider = ProviderID(connection.provider_id)
        raise ProviderInitFailed(provider, f"Provider {provider} has no base URL (options.baseURL)")

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return "/chat/completions"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The bearer key; local servers need none."""
        return {"authorization": f"Bearer {connection.key.reveal()}"} if connection.key else {}

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """Everything that is set, and nothing that is not: servers differ in what they refuse."""
        dialect = dialect_of(request.model)
        body: Json = {
            "model": request.model.api.id,
            dialect.output_limit: request.max_output_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_k": request.top_k if request.model.api.npm == "@openrouter/ai-sdk-provider" else None,
            **chat_options(request.model, request.options),
            "messages": chat_messages(request),
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            body["tool_choice"] = request.tool_choice
        body["stream"] = True
        if self._asks_for_usage and dialect.asks_for_usage and request.options.get("includeUsage") is not False:
            body["stream_options"] = {"include_usage": True}
        return {name: value for name, value in body.items() if value is not None}

    def decoder(self, request: ModelRequest) -> ChatDecoder:
        return ChatDecoder()


def chat_messages(request: ModelRequest) -> list[Json]:
    """System texts, then the history."""
    marked = wants_cache_marks(request.model)
    messages: list[Json] = [{"role": "system", "content": text} for text in request.system]
    system_count = len(messages)
    for message in request.messages:
        messages += _messages(message, request)
    if marked:
        for sent in [*messages[:system_count][:2], *messages[system_count:][-2:]]:
            _mark(sent)
    return messages


def _tool(tool: ToolDefinition) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _messages(message: ModelMessage, request: ModelRequest) -> list[Json]:
    match message:
        case UserTurn(content=content):
            return [{"role": "user", "content": _user_content(content)}]
        case AssistantTurn(content=content):
            return [_assistant(content, request)]
        case ToolTurn(content=results):
            return [{"role": "tool", "tool_call_id": result.call_id, "content": result.output} for result in results]


def _user_content(content: list[TextContent | FileContent]) -> str | list[Json]:
    if len(content) == 1 and isinstance(content[0], TextContent):
        return content[0].text
    return [_block(block) for block in content]


def _block(block: TextContent | FileContent) -> Json:
    if isinstance(block, TextContent):
        return {"type": "text", "text": block.text}
    data = data_of(block.url)
    if block.mime.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": block.url}}
    if block.mime.startswith("audio/") and data:
        form = "wav" if "wav" in block.mime else "mp3"
        return {"type": "input_audio", "input_audio": {"data": data[1], "format": form}}
    return {"type": "file", "file": {"filename": block.filename or "file", "file_data": block.url}}


def _assistant(content: list[TextContent | ReasoningContent | ToolCallContent], request: ModelRequest) -> Json:
    text = "".join(block.text for block in content if isinstance(block, TextContent))
    calls = [_call(block) for block in content if isinstance(block, ToolCallContent)]
    message: Json = {"role": "assistant", "content": text}
    message |= _reasoning([block for block in content if isinstance(block, ReasoningContent)], request)
    if calls:
        message["tool_calls"] = calls
    return message


def _reasoning(blocks: list[ReasoningContent], request: ModelRequest) -> Json:
    details = [
        detail
        for block in blocks
        for detail in ((block.metadata or {}).get(METADATA_KEY) or {}).get("reasoningDetails", [])
    ]
    if details:
        return {"reasoning_details": details}
    text, field = "".join(block.text for block in blocks), reasoning_field(request.model)
    if field is None:
        return {}
    # Also an empty one where the model is known by its field: such models refuse an answer without it.
    return {field: text} if text or isinstance(request.model.capabilities.interleaved, Interleaved) else {}


def _call(block: ToolCallContent) -> Json:
    function = {"name": block.name, "arguments": arguments_text(block.input)}
    return {"id": block.call_id, "type": "function", "function": function}


def _mark(message: Json) -> None:
    """Ask for a prompt-cache point behind this message: on its last block, or on the message when it has none."""
    content = message["content"]
    if message["role"] in ("system", "user") and isinstance(content, str):
        message["content"] = [{"type": "text", "text": content, "cache_control": EPHEMERAL}]
    elif isinstance(content, list) and content:
        content[-1]["cache_control"] = EPHEMERAL
