"""Amazon Bedrock's ``ConverseStream``: how a request is written."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection, host_label
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
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.wire.bedrock_regions import DEFAULT_REGION, model_in_region
from opencode.provider.wire.bedrock_stream import METADATA_KEY, BedrockDecoder
from opencode.provider.wire.content import (
    arguments_object,
    data_of,
    joined_turns,
    tokens_with_thoughts,
    wants_cache_marks,
)

if TYPE_CHECKING:
    import httpx2

    from opencode.provider.wire.http_model import Framing

Json = dict[str, Any]

CACHE_POINT: Json = {"cachePoint": {"type": "default"}}
IMAGE_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENT_FORMATS = {"application/pdf": "pdf", "text/plain": "txt", "text/markdown": "md", "text/csv": "csv"}
MISSING = "Amazon Bedrock needs the package botocore: pip install 'opencode-server[bedrock]'"


class BedrockConverse:
    """The wire ``POST /model/{id}/converse-stream``."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or f"https://bedrock-runtime.{region_of(connection)}.amazonaws.com"

    def path(self, connection: Connection, request: ModelRequest) -> str:
        name = model_in_region(request.model.api.id, region_of(connection))
        return f"/model/{quote(name, safe='')}/converse-stream"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """A bearer token where there is one; else requests are signed."""
        return {"authorization": f"Bearer {connection.key.reveal()}"} if connection.key else {}

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """Everything that is set. What only some models take goes into fields of their own."""
        marked = wants_cache_marks(request.model)
        thinking = _thinking(request.options)
        sampling: Json = {"maxTokens": _max_tokens(request, thinking)}
        if thinking is None:
            sampling |= {"temperature": request.temperature, "topP": request.top_p}
        more: Json = {**(request.options.get("additionalModelRequestFields") or {}), **(thinking or {})}
        if request.top_k is not None and thinking is None:
            more["top_k"] = request.top_k
        body: Json = {
            "system": _system(request.system, marked),
            "messages": bedrock_messages(request.messages, marked=marked),
            "inferenceConfig": {name: value for name, value in sampling.items() if value is not None},
            "toolConfig": _tools(request, thinking),
            "additionalModelRequestFields": more or None,
        }
        return {name: value for name, value in body.items() if value is not None}

    def decoder(self, request: ModelRequest) -> BedrockDecoder:
        return BedrockDecoder()

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        """Signs with the account of the machine, the user or the options. Raises ``ProviderInitFailed``.

        Also with a key: an answer that has been paid for could not be read without the library.
        """
        if find_spec("botocore") is None:
            raise ProviderInitFailed(ProviderID(connection.provider_id), MISSING)
        if connection.key:
            return None
        from opencode.provider.wire.aws_credentials import SignedRequests  # slow to import, and optional

        return SignedRequests(connection, region_of(connection))

    def framing(self) -> "Framing":
        from opencode.provider.wire.aws_frames import EventStreamReader  # slow to import, and optional

        return EventStreamReader()


def region_of(connection: Connection) -> str:
    """The configured region."""
    return host_label(connection, "region", connection.options.get("region") or DEFAULT_REGION)


def bedrock_messages(messages: list[ModelMessage], *, marked: bool) -> list[Json]:
    """The history, turns of one side joined, with a cache mark behind the last two turns where they help."""
    turns = [(role, blocks) for message in messages for role, blocks in [_turn(message)] if blocks]
    if marked:
        for _, blocks in turns[-2:]:
            blocks.append(CACHE_POINT)
    return joined_turns(turns)


def _turn(message: ModelMessage) -> tuple[str, list[Json]]:
    match message:
        case UserTurn(content=content):
            return "user", [block for n, part in enumerate(content) if (block := _user_block(part, n))]
        case AssistantTurn(content=content):
            return "assistant", [block for part in content if (block := _assistant_block(part))]
        case ToolTurn(content=results):
            return "user", [_result(result) for result in results]


def _user_block(part: TextContent | FileContent, number: int) -> Json | None:
    if isinstance(part, TextContent):
        return {"text": part.text} if part.text.strip() else None
    data = data_of(part.url)
    if data is not None and part.mime in IMAGE_FORMATS:
        return {"image": {"format": IMAGE_FORMATS[part.mime], "source": {"bytes": data[1]}}}
    if data is not None and part.mime in DOCUMENT_FORMATS:
        # Names may hold few characters, and are no place for instructions: a number says as much.
        source = {"bytes": data[1]}
        return {"document": {"format": DOCUMENT_FORMATS[part.mime], "name": f"document-{number}", "source": source}}
    return {"text": f"[The file {part.filename or part.mime} cannot be shown to this model]"}


def _assistant_block(part: TextContent | ReasoningContent | ToolCallContent) -> Json | None:
    match part:
        case TextContent(text=text):
            return {"text": text.rstrip()} if text.strip() else None
        case ToolCallContent(call_id=call_id, name=name, input=arguments):
            return {"toolUse": {"toolUseId": call_id, "name": name, "input": arguments_object(arguments)}}
        case ReasoningContent(text=text, metadata=metadata):
            replay = (metadata or {}).get(METADATA_KEY) or {}
            if replay.get("redactedData"):
                return {"reasoningContent": {"redactedContent": replay["redactedData"]}}
            if replay.get("signature"):
                return {"reasoningContent": {"reasoningText": {"text": text, "signature": replay["signature"]}}}
            return None  # Unsigned reasoning is refused.


def _result(result: ToolResultContent) -> Json:
    content: list[Json] = [{"text": result.output or " "}]
    content += [block for n, file in enumerate(result.files) if (block := _user_block(file, n))]
    status = {"status": "error"} if result.is_error else {}
    return {"toolResult": {"toolUseId": result.call_id, "content": content, **status}}


def _system(texts: list[str], marked: bool) -> list[Json] | None:
    blocks: list[Json] = [{"text": text} for text in texts if text.strip()]
    return [*blocks, CACHE_POINT] if marked and blocks else blocks or None


def _tools(request: ModelRequest, thinking: Json | None) -> Json | None:
    """No choice says "none": without tools there is none to choose."""
    if not request.tools or request.tool_choice == "none":
        return None
    forced = request.tool_choice == "required" and thinking is None
    return {"tools": [_tool(tool) for tool in request.tools], "toolChoice": {"any": {}} if forced else {"auto": {}}}


def _tool(tool: ToolDefinition) -> Json:
    return {"toolSpec": {"name": tool.name, "description": tool.description, "inputSchema": {"json": tool.parameters}}}


def _thinking(options: Mapping[str, Any]) -> Json | None:
    """``reasoningConfig`` as the models behind the API want it; None when there is to be no thinking."""
    wanted = options.get("reasoningConfig") or options.get("thinking")
    if not isinstance(wanted, dict) or wanted.get("type") == "disabled":
        return None
    effort = wanted.get("maxReasoningEffort")
    if wanted.get("type") == "adaptive":
        display = {"display": wanted["display"]} if "display" in wanted else {}
        thinking = {"type": "adaptive", **display}
        return {"thinking": thinking, **({"output_config": {"effort": effort}} if effort else {})}
    if effort:
        return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
    return {"thinking": {"type": "enabled", "budget_tokens": int(wanted.get("budgetTokens") or 0)}}


def _max_tokens(request: ModelRequest, thinking: Json | None) -> int | None:
    """What is set. A budget of thoughts comes on top."""
    budget = int(((thinking or {}).get("thinking") or {}).get("budget_tokens") or 0)
    if request.max_output_tokens is None or not budget:
        return request.max_output_tokens
    return tokens_with_thoughts(request.model, request.max_output_tokens, budget)
