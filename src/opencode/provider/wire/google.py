"""Google's ``generateContent``, as Gemini and Vertex speak it: how a request is written."""

from collections.abc import Mapping
from typing import Any

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    Metadata,
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
from opencode.provider.wire.content import arguments_object, data_of
from opencode.provider.wire.google_schema import google_schema
from opencode.provider.wire.google_stream import METADATA_KEY, GoogleDecoder
from opencode.provider.wire.http_model import PlainHttp

Json = dict[str, Any]

DEFAULT_URL = "https://generativelanguage.googleapis.com/v1beta"
TOOL_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
GENERATION_OPTIONS = (
    "thinkingConfig",
    "responseModalities",
    "mediaResolution",
    "seed",
    "stopSequences",
    "audioTimestamp",
)
REQUEST_OPTIONS = ("safetySettings", "cachedContent", "labels")
UNSIGNED = "skip_thought_signature_validator"
"""Stands for the signature of a call that another model made: Gemini 3 refuses calls without one."""


class GoogleGenerateContent(PlainHttp):
    """The wire ``POST /models/{model}:streamGenerateContent``."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or DEFAULT_URL

    def path(self, connection: Connection, request: ModelRequest) -> str:
        """The model stands in the path; tuned ones name their own collection."""
        name = request.model.api.id
        return f"/{name if '/' in name else f'models/{name}'}:streamGenerateContent?alt=sse"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The key. Raises ``ProviderAuthFailed`` without one."""
        if connection.key:
            return {"x-goog-api-key": connection.key.reveal()}
        if any(name.lower() in ("authorization", "x-goog-api-key") for name in connection.headers):
            return {}
        raise ProviderAuthFailed(ProviderID(connection.provider_id), "No API key for this provider")

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        """Everything that is set."""
        generation: Json = {
            "maxOutputTokens": request.max_output_tokens,
            "temperature": request.temperature,
            "topP": request.top_p,
            "topK": request.top_k,
            **{name: request.options.get(name) for name in GENERATION_OPTIONS},
        }
        system = [{"text": text} for text in request.system if text]
        body: Json = {
            "systemInstruction": {"parts": system} if system else None,
            "contents": google_contents(request),
            "generationConfig": {name: value for name, value in generation.items() if value is not None},
            **{name: request.options.get(name) for name in REQUEST_OPTIONS},
        }
        if request.tools:
            body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in request.tools]}]
            body["toolConfig"] = {"functionCallingConfig": {"mode": TOOL_MODES[request.tool_choice]}}
        return {name: value for name, value in body.items() if value is not None}

    def decoder(self, request: ModelRequest) -> GoogleDecoder:
        return GoogleDecoder()


def google_contents(request: ModelRequest) -> list[Json]:
    """The history; turns of one side that follow each other are joined."""
    contents: list[Json] = []
    needs_signature = "gemini-3" in request.model.api.id.lower()
    for message in request.messages:
        role, parts = _turn(message)
        if role == "model" and needs_signature:
            _sign(parts)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _turn(message: ModelMessage) -> tuple[str, list[Json]]:
    match message:
        case UserTurn(content=content):
            return "user", [part for block in content if (part := _user_part(block))]
        case AssistantTurn(content=content):
            return "model", [part for block in content if (part := _model_part(block))]
        case ToolTurn(content=results):
            return "user", [_result(result) for result in results]


def _user_part(block: TextContent | FileContent) -> Json | None:
    if isinstance(block, TextContent):
        return {"text": block.text} if block.text else None
    data = data_of(block.url)
    if data is not None:
        return {"inlineData": {"mimeType": block.mime, "data": data[1]}}
    return {"fileData": {"mimeType": block.mime, "fileUri": block.url}}


def _model_part(block: TextContent | ReasoningContent | ToolCallContent) -> Json | None:
    signature = _signature(block.metadata)
    signed = {"thoughtSignature": signature} if signature else {}
    match block:
        case TextContent(text=text):
            return {"text": text, **signed} if text or signature else None
        case ReasoningContent(text=text):
            # Thoughts are only worth sending where the API can check that they are its own.
            return {"text": text, "thought": True, **signed} if signature else None
        case ToolCallContent(name=name, input=arguments):
            return {"functionCall": {"name": name, "args": arguments_object(arguments)}, **signed}


def _signature(metadata: Metadata | None) -> str | None:
    found: str | None = ((metadata or {}).get(METADATA_KEY) or {}).get("thoughtSignature")
    return found


def _sign(parts: list[Json]) -> None:
    """The first call of a step carries a signature, whoever made it."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", UNSIGNED)


def _result(result: ToolResultContent) -> Json:
    key = "error" if result.is_error else "output"
    return {"functionResponse": {"name": result.name, "response": {key: result.output}}}


def _tool(tool: ToolDefinition) -> Json:
    """A function without parameters has no schema: an empty object is refused."""
    schema = google_schema(tool.parameters)
    declared = {"name": tool.name, "description": tool.description}
    return {**declared, "parameters": schema} if schema.get("properties") else declared
