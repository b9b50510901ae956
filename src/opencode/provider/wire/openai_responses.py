"""OpenAI Responses: how a request is written."""

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
from opencode.provider.wire.content import arguments_text
from opencode.provider.wire.http_model import PlainHttp
from opencode.provider.wire.openai_responses_stream import METADATA_KEY, ResponsesDecoder

Json = dict[str, Any]

DEFAULT_URL = "https://api.openai.com/v1"
RENAMED = {
    "store": "store",
    "include": "include",
    "instructions": "instructions",
    "metadata": "metadata",
    "user": "user",
    "truncation": "truncation",
    "promptCacheKey": "prompt_cache_key",
    "promptCacheRetention": "prompt_cache_retention",
    "parallelToolCalls": "parallel_tool_calls",
    "previousResponseId": "previous_response_id",
    "maxToolCalls": "max_tool_calls",
    "serviceTier": "service_tier",
    "safetyIdentifier": "safety_identifier",
}
REASONING_MODELS = ("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-", "computer-use")


class OpenAIResponses(PlainHttp):
    """The wire ``POST /responses``, used without state at the provider: reasoning is replayed encrypted."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or DEFAULT_URL

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return "/responses"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The bearer key. Raises ``ProviderAuthFailed`` without one."""
        if connection.key:
            return {"authorization": f"Bearer {connection.key.reveal()}"}
        if any(name.lower() == "authorization" for name in connection.headers):
            return {}
        raise ProviderAuthFailed(ProviderID(connection.provider_id), "No API key for this provider")

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """Everything that is set; sampling parameters only where the model takes them."""
        reasons = is_reasoning_model(request)
        body: Json = {
            "model": request.model.api.id,
            "input": responses_input(request),
            "temperature": None if reasons else request.temperature,
            "top_p": None if reasons else request.top_p,
            # OpenAI counts thoughts as output: a limit for answers would cut long ones off.
            "max_output_tokens": None if request.model.provider_id == "openai" else request.max_output_tokens,
            **{RENAMED[name]: value for name, value in request.options.items() if name in RENAMED},
            "reasoning": _reasoning_options(request) if reasons else None,
            "text": _text_options(request),
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            body["tool_choice"] = request.tool_choice
        body["stream"] = True
        return {name: value for name, value in body.items() if value is not None}

    def decoder(self, request: ModelRequest) -> ResponsesDecoder:
        return ResponsesDecoder()


def is_reasoning_model(request: ModelRequest) -> bool:
    """Whether the model reasons, which changes what may be sent: by its family, or by what is known of it."""
    api_id = request.model.api.id.lower().rpartition("/")[2]
    reasons = api_id.startswith(REASONING_MODELS) or request.model.capabilities.reasoning
    return reasons and not api_id.startswith("gpt-5-chat")


def responses_input(request: ModelRequest) -> list[Json]:
    """The history as input items, without the ids that only a provider with stored state knows."""
    role = "developer" if is_reasoning_model(request) else "system"
    items: list[Json] = [{"role": role, "content": text} for text in request.system]
    for message in request.messages:
        items += _items(message)
    return items


def _items(message: ModelMessage) -> list[Json]:
    match message:
        case UserTurn(content=content):
            return [{"role": "user", "content": [_user_block(block) for block in content]}]
        case AssistantTurn(content=content):
            return _assistant(content)
        case ToolTurn(content=results):
            return [_result(result) for result in results]


def _user_block(block: TextContent | FileContent) -> Json:
    if isinstance(block, TextContent):
        return {"type": "input_text", "text": block.text}
    if block.mime.startswith("image/"):
        return {"type": "input_image", "image_url": block.url}
    if block.url.startswith("data:"):
        return {"type": "input_file", "filename": block.filename or "file.pdf", "file_data": block.url}
    return {"type": "input_file", "file_url": block.url}


def _assistant(content: list[TextContent | ReasoningContent | ToolCallContent]) -> list[Json]:
    items: list[Json] = []
    open_reasoning: tuple[str | None, Json] | None = None
    for block in content:
        if not isinstance(block, ReasoningContent):
            open_reasoning = None
            items.append(_assistant_item(block))
            continue
        replay = (block.metadata or {}).get(METADATA_KEY) or {}
        encrypted, item_id = replay.get("reasoningEncryptedContent"), replay.get("itemId")
        summary = [{"type": "summary_text", "text": block.text}] if block.text else []
        if open_reasoning and item_id and open_reasoning[0] == item_id:
            # Several summaries of one reasoning item are one item again.
            open_reasoning[1]["summary"] += summary
        elif encrypted:
            item: Json = {"type": "reasoning", "encrypted_content": encrypted, "summary": summary}
            open_reasoning = (item_id, item)
            items.append(item)
    return items


def _assistant_item(block: TextContent | ToolCallContent) -> Json:
    if isinstance(block, TextContent):
        return {"role": "assistant", "content": [{"type": "output_text", "text": block.text}]}
    return {
        "type": "function_call",
        "call_id": block.call_id,
        "name": block.name,
        "arguments": arguments_text(block.input),
    }


def _result(result: ToolResultContent) -> Json:
    output: str | list[Json] = result.output
    if result.files:
        output = [{"type": "input_text", "text": result.output}, *(_user_block(file) for file in result.files)]
    return {"type": "function_call_output", "call_id": result.call_id, "output": output}


def _tool(tool: ToolDefinition) -> Json:
    # Without `strict: false` the API rewrites the schema to its strict form.
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _reasoning_options(request: ModelRequest) -> Json | None:
    options = request.options
    chosen = {"effort": options.get("reasoningEffort"), "summary": options.get("reasoningSummary")}
    return {name: value for name, value in chosen.items() if value is not None} or None


def _text_options(request: ModelRequest) -> Json | None:
    verbosity = request.options.get("textVerbosity")
    return {"verbosity": verbosity} if verbosity else None
