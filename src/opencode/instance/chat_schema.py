"""Requests and answers of ``/v1/chat``: the names are OpenAI's, so they are not turned into ours."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.session.schema import Number, Part

ChatChunkType = Literal[
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "error", "message_stop"
]
FinishReason = Literal["stop", "length", "content_filter"]


class Named(Wire, rename=None):
    """A record whose fields are called on the wire as they are here."""


class ChatText(Named, tag_field="type", tag="text"):
    """Text."""

    text: str


class ChatImageAddress(Named):
    """``data:`` or another URL."""

    url: str


class ChatImage(Named, tag_field="type", tag="image_url"):
    """An image."""

    image_url: ChatImageAddress


class ChatMessage(Named):
    """What somebody said."""

    role: Literal["system", "user", "assistant"]
    content: str | list[ChatText | ChatImage]


class ChatRequest(Named):
    """The last message is the prompt. ``model``: ``provider/model``, or a model's id alone.

    ``session_id``: go on with this session; then only the last message counts. ``tools``: switches, or the only ones.
    """

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    model: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    skills: list[str] | UnsetType = UNSET
    system: str | UnsetType = UNSET
    tools: dict[str, bool] | list[str] | UnsetType = UNSET
    session_id: SessionID | UnsetType = UNSET


class ChatAnswerMessage(Named):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str


class ChatChoice(Named):
    """The only answer."""

    index: int = 0
    message: ChatAnswerMessage
    finish_reason: FinishReason


class ChatUsage(Named):
    """Tokens of the last model call."""

    prompt_tokens: Number
    completion_tokens: Number
    total_tokens: Number


class ChatCompletion(Named):
    """The end of a turn. ``content``, ``parts`` and the ids are ours."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    content: str
    session_id: SessionID = field(name="sessionID")
    message_id: MessageID = field(name="messageID")
    parts: list[Part]


class ChatChunk(Named):
    """One event of a streamed answer; which fields there are depends on ``type``."""

    type: ChatChunkType
    index: int | UnsetType = UNSET
    delta: dict[str, str] | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET
    session_id: SessionID | UnsetType = field(default=UNSET, name="sessionID")
