"""GitHub Copilot: OpenAI's two wires, with headers of its own (spec: providers, sections 5 and 11)."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from opencode.auth.schema import OAuthCredential
from opencode.provider.connection import Connection
from opencode.provider.normalise import MEDIA_RESULTS_NOTE
from opencode.provider.request import FileContent, ModelRequest, TextContent, ToolTurn, UserTurn
from opencode.provider.stream import StreamEvent
from opencode.provider.wire.http_model import Decoder, PlainHttp
from opencode.provider.wire.openai_chat import OpenAIChat
from opencode.provider.wire.openai_chat_stream import ChatDecoder
from opencode.provider.wire.openai_responses import OpenAIResponses

if TYPE_CHECKING:
    import httpx2

DEFAULT_URL = "https://api.githubcopilot.com"
SIGN_IN_REFUSED = frozenset({401, 403})
PARENT_HEADER = "x-parent-session-id"
"""Sent with every request of a subagent."""
OPAQUE = "reasoning.opaque"
_GENERATION = re.compile(r"gpt-(\d+)")


class GitHubCopilot(PlainHttp):
    """Chat Completions, or Responses for the newer GPT models."""

    def __init__(self) -> None:
        self._chat = CopilotChat(DEFAULT_URL)
        self._responses = OpenAIResponses()

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or DEFAULT_URL

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return self._wire(request).path(connection, request)

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """Who began the request, and for what; the bearer key where there is one and no account."""
        headers = {"openai-intent": "conversation-edits", "x-initiator": initiator(request)}
        if has_images(request):
            headers["copilot-vision-request"] = "true"
        return headers if connection.account else {**headers, **self._wire(request).headers(connection, request)}

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        return self._wire(request).body(request)

    def decoder(self, request: ModelRequest) -> Decoder:
        return self._wire(request).decoder(request)

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        """The account's token, which here is the refresh token."""
        if connection.account is None:
            return None
        from opencode.provider.wire.account_auth import AccountAuth  # slow to import: only where a request is made

        return AccountAuth(connection.account, _bearer, SIGN_IN_REFUSED)

    def _wire(self, request: ModelRequest) -> "CopilotChat | OpenAIResponses":
        return self._responses if speaks_responses(request.model.api.id) else self._chat


class CopilotChat(OpenAIChat):
    """Chat Completions, with reasoning in fields of Copilot's own: ``reasoning_text``, ``reasoning_opaque``."""

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        body = super().body(request)
        return {**body, "messages": [_with_own_reasoning(message) for message in body["messages"]]}

    def decoder(self, request: ModelRequest) -> ChatDecoder:
        return CopilotChatDecoder()


class CopilotChatDecoder(ChatDecoder):
    """Reads the reasoning as details, which are kept and replayed as they came."""

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        return super().feed(_with_details(data) if b'"reasoning_' in data else data)


def speaks_responses(model_id: str) -> bool:
    """GPT from the fifth generation on, except the smallest of it."""
    generation = _GENERATION.match(model_id)
    return generation is not None and int(generation[1]) >= 5 and not model_id.startswith("gpt-5-mini")


def initiator(request: ModelRequest) -> str:
    """``user`` for what a person asked; ``agent`` for what follows from it, and for everything a subagent does."""
    is_of_subagent = any(name.lower() == PARENT_HEADER for name in request.headers)
    last = request.messages[-1] if request.messages else None
    return "user" if isinstance(last, UserTurn) and not _is_result(last) and not is_of_subagent else "agent"


def _is_result(turn: UserTurn) -> bool:
    """Whether it only shows the media of a tool's result, which stand in no other place on this wire."""
    return any(isinstance(block, TextContent) and block.text == MEDIA_RESULTS_NOTE for block in turn.content[:1])


def has_images(request: ModelRequest) -> bool:
    """Whether the model is shown images, also as results of tools."""
    return any(
        isinstance(block, FileContent) and block.mime.startswith("image/")
        for message in request.messages
        for block in _blocks(message)
    )


def _blocks(message: Any) -> Iterator[Any]:
    if isinstance(message, ToolTurn):
        yield from (file for result in message.content for file in result.files)
    else:
        yield from message.content


def _bearer(credential: OAuthCredential) -> Mapping[str, str]:
    return {"authorization": f"Bearer {credential.refresh.reveal()}"}


def _with_own_reasoning(message: dict[str, Any]) -> dict[str, Any]:
    """An assistant message whose details stand in Copilot's fields again."""
    if "reasoning_details" not in message:
        return message
    plain = {name: value for name, value in message.items() if name != "reasoning_details"}
    details = message["reasoning_details"]
    text = "".join(detail.get("text") or "" for detail in details)
    opaque = next((detail["data"] for detail in reversed(details) if detail.get("type") == OPAQUE), None)
    own = {"reasoning_text": text or None, "reasoning_opaque": opaque}
    return plain | {name: value for name, value in own.items() if value}


def _with_details(data: bytes) -> bytes:
    """The chunk with Copilot's fields as ``reasoning_details``; what is no chunk stays, for others to refuse."""
    try:
        chunk = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data
    for choice in _dicts(chunk.get("choices") if isinstance(chunk, dict) else None):
        for delta in _dicts([choice.get("delta")]):
            details = []
            if isinstance(text := delta.pop("reasoning_text", None), str) and text:
                details.append({"type": "reasoning.text", "text": text})
            if isinstance(opaque := delta.pop("reasoning_opaque", None), str) and opaque:
                details.append({"type": OPAQUE, "data": opaque})
            if details:
                delta["reasoning_details"] = details
    return msgspec.json.encode(chunk)


def _dicts(values: Any) -> Iterator[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else iter(())
