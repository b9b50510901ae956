"""What a model is asked: provider-neutral messages, tools and parameters."""

from typing import Any, Literal

from opencode.core.ids import SessionID
from opencode.core.wire import Wire
from opencode.provider.schema import Model

Metadata = dict[str, Any]
"""What a wire must get back unchanged on replay: signatures, encrypted reasoning, item ids. Opaque outside the
adapter that made it; keyed by the adapter's name."""


ToolChoice = Literal["auto", "required", "none"]
"""Whether the model calls tools as it likes, must, or must not."""


class TextContent(Wire, tag_field="type", tag="text"):
    """Plain text."""

    text: str
    metadata: Metadata | None = None


class ReasoningContent(Wire, tag_field="type", tag="reasoning"):
    """The model's own thinking, replayed."""

    text: str
    metadata: Metadata | None = None


class FileContent(Wire, tag_field="type", tag="file"):
    """Media. ``url`` is a ``data:`` URL or one that the provider fetches itself."""

    mime: str
    url: str
    filename: str | None = None


class ToolCallContent(Wire, tag_field="type", tag="tool-call"):
    """A call the model made."""

    call_id: str
    name: str
    input: Any
    metadata: Metadata | None = None


class ToolResultContent(Wire, tag_field="type", tag="tool-result"):
    """What came of a call; every call has exactly one, in the message after it."""

    call_id: str
    name: str
    output: str
    is_error: bool = False
    files: list[FileContent] = []


class UserTurn(Wire, tag_field="role", tag="user"):
    """What the person, or the server on their behalf, says."""

    content: list[TextContent | FileContent]


class AssistantTurn(Wire, tag_field="role", tag="assistant"):
    """What the model said and called."""

    content: list[TextContent | ReasoningContent | ToolCallContent]


class ToolTurn(Wire, tag_field="role", tag="tool"):
    """Results of the calls of the assistant turn before."""

    content: list[ToolResultContent]


ModelMessage = UserTurn | AssistantTurn | ToolTurn


class ToolDefinition(Wire):
    """A tool as the model sees it. ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class ModelRequest(Wire):
    """One call of a model.

    ``options``: request options in AI-SDK spelling (``reasoningEffort``, ``thinking``, ...), already merged from
    model, agent and variant; the adapter maps them to its wire. Temperatures and limits: ``None`` means "do not
    send".
    """

    model: Model
    session_id: SessionID
    system: list[str]
    messages: list[ModelMessage]
    tools: list[ToolDefinition] = []
    tool_choice: ToolChoice = "auto"
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    options: dict[str, Any] = {}
    headers: dict[str, str] = {}
