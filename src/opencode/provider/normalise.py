"""Repairs that providers need before a history is sent (spec: messages, 4.3 and 4.5)."""

import re
from collections.abc import Callable
from hashlib import sha256

from opencode.core.wire import replace
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ModelMessage,
    ModelRequest,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Model
from opencode.provider.wire.google_schema import google_schema

MEDIA_RESULTS_NOTE = "Attached media from tool result:"
MEDIA_IN_RESULTS = (
    "@ai-sdk/anthropic",
    "@ai-sdk/openai",
    "@ai-sdk/google-vertex/anthropic",
    "@ai-sdk/amazon-bedrock/mantle",
)
MISTRAL_ID_LENGTH = 9


def normalised(request: ModelRequest) -> ModelRequest:
    """The request in the form that the model's provider accepts."""
    messages = request.messages
    if request.model.api.npm not in MEDIA_IN_RESULTS:
        messages = _results_without_media(messages)
    messages = [_readable(message, request.model) for message in messages]
    scrub = _id_scrubber(request.model)
    if scrub is not None:
        messages = [_with_call_ids(message, scrub) for message in messages]
    if _is_mistral(request.model):
        messages = _answered_tools(messages)
    if _is_gemini_elsewhere(request.model):
        tools = [replace(tool, parameters=google_schema(tool.parameters)) for tool in request.tools]
        request = replace(request, tools=tools)
    return replace(request, messages=messages)


def _results_without_media(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Images and PDFs of tool results move to a user message behind the results."""
    moved: list[ModelMessage] = []
    for message in messages:
        if not isinstance(message, ToolTurn):
            moved.append(message)
            continue
        media = [file for result in message.content for file in result.files if _kind(file.mime) in ("image", "pdf")]
        results = [
            replace(result, files=[file for file in result.files if file not in media]) for result in message.content
        ]
        moved.append(ToolTurn(content=results))
        if media:
            moved.append(UserTurn(content=[TextContent(text=MEDIA_RESULTS_NOTE), *media]))
    return moved


def _readable(message: ModelMessage, model: Model) -> ModelMessage:
    """What the model cannot read becomes a text that says so."""
    match message:
        case UserTurn(content=content):
            return UserTurn(
                content=[_readable_file(block, model) if isinstance(block, FileContent) else block for block in content]
            )
        case ToolTurn(content=results):
            return ToolTurn(content=[_readable_result(result, model) if result.files else result for result in results])
        case _:
            return message


def _readable_result(result: ToolResultContent, model: Model) -> ToolResultContent:
    seen = [_readable_file(file, model) for file in result.files]
    notes = [text.text for text in seen if isinstance(text, TextContent)]
    files = [file for file in seen if isinstance(file, FileContent)]
    return (
        replace(result, output="\n".join([result.output, *notes] if result.output else notes), files=files)
        if notes
        else result
    )


def _readable_file(file: FileContent, model: Model) -> TextContent | FileContent:
    kind = _kind(file.mime)
    if kind is None:
        return file
    if kind == "image" and re.fullmatch(r"data:[^,]*;base64,", file.url):
        return TextContent(text="ERROR: The image is empty or damaged. Ask the user for a valid image.")
    if getattr(model.capabilities.input, kind):
        return file
    name = f'"{file.filename}"' if file.filename else kind
    return TextContent(text=f"ERROR: Cannot read {name} (this model takes no {kind} input). Tell the user.")


def _kind(mime: str) -> str | None:
    """The modality of a media type; None for what needs none."""
    family = mime.partition("/")[0]
    if family in ("image", "audio", "video"):
        return family
    return "pdf" if mime == "application/pdf" else None


def _id_scrubber(model: Model) -> Callable[[str], str] | None:
    if "claude" in model.api.id.lower():
        return lambda call_id: re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)
    return _MistralIds().of if _is_mistral(model) else None


class _MistralIds:
    """Ids of nine letters and digits. Those of other providers often begin alike: no two calls may become one."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, call_id: str) -> str:
        """The id of a call, the same whenever it is asked for."""
        if call_id not in self._given:
            plain = re.sub(r"[^a-zA-Z0-9]", "", call_id)[:MISTRAL_ID_LENGTH].ljust(MISTRAL_ID_LENGTH, "0")
            short = sha256(call_id.encode()).hexdigest()[:MISTRAL_ID_LENGTH] if plain in self._taken else plain
            self._taken.add(short)
            self._given[call_id] = short
        return self._given[call_id]


def _is_mistral(model: Model) -> bool:
    api_id = model.api.id.lower()
    return model.provider_id == "mistral" or "mistral" in api_id or "devstral" in api_id


def _is_gemini_elsewhere(model: Model) -> bool:
    """Gemini behind another wire than its own, which has its own rules for the schemas of tools."""
    return "gemini" in model.api.id.lower() and not model.api.npm.startswith("@ai-sdk/google")


def _with_call_ids(message: ModelMessage, scrub: Callable[[str], str]) -> ModelMessage:
    match message:
        case AssistantTurn(content=content):
            return AssistantTurn(content=[_scrubbed_call(block, scrub) for block in content])
        case ToolTurn(content=results):
            return ToolTurn(content=[_scrubbed_result(result, scrub) for result in results])
        case _:
            return message


def _scrubbed_call(
    block: TextContent | ReasoningContent | ToolCallContent, scrub: Callable[[str], str]
) -> TextContent | ReasoningContent | ToolCallContent:
    return replace(block, call_id=scrub(block.call_id)) if isinstance(block, ToolCallContent) else block


def _scrubbed_result(result: ToolResultContent, scrub: Callable[[str], str]) -> ToolResultContent:
    return replace(result, call_id=scrub(result.call_id))


def _answered_tools(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Mistral wants the assistant to speak between a tool's result and the user."""
    spoken: list[ModelMessage] = []
    for message in messages:
        if isinstance(message, UserTurn) and spoken and isinstance(spoken[-1], ToolTurn):
            spoken.append(AssistantTurn(content=[TextContent(text="Done.")]))
        spoken.append(message)
    return spoken
