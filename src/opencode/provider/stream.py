"""What a model answers: one stream of small events, whatever the wire (spec: LLM and errors, section 2)."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from opencode.core.wire import Wire
from opencode.provider.request import Metadata, ModelRequest


class StreamEvent(Wire):
    """Base of what a model stream yields. ``id`` tells parts of one kind apart within one stream."""


class TextStart(StreamEvent):
    """A text part opens."""

    id: str
    metadata: Metadata | None = None


class TextDelta(StreamEvent):
    """More text."""

    id: str
    text: str


class TextEnd(StreamEvent):
    """The text part is complete."""

    id: str
    metadata: Metadata | None = None


class ReasoningStart(StreamEvent):
    """A reasoning part opens."""

    id: str
    metadata: Metadata | None = None


class ReasoningDelta(StreamEvent):
    """More reasoning."""

    id: str
    text: str


class ReasoningEnd(StreamEvent):
    """The reasoning part is complete; ``metadata`` holds what must be replayed (signature, encrypted text)."""

    id: str
    metadata: Metadata | None = None


class ToolInputStart(StreamEvent):
    """The model begins a tool call; its arguments follow."""

    call_id: str
    name: str


class ToolInputDelta(StreamEvent):
    """A piece of the arguments' JSON text."""

    call_id: str
    text: str


class ToolCall(StreamEvent):
    """A whole tool call. ``input`` is the decoded arguments, or the raw text when it is not JSON (see ``fault``)."""

    call_id: str
    name: str
    input: Any
    metadata: Metadata | None = None
    fault: str | None = None


class Usage(StreamEvent):
    """Tokens. ``input`` includes cached ones, ``output`` includes reasoning."""

    input: int = 0
    output: int = 0
    reasoning: int = 0
    cache_read: int = 0
    cache_write: int = 0
    total: int | None = None


class StepFinish(StreamEvent):
    """The answer is complete. The last event of a stream; a stream without it was cut.

    ``reason``: ``stop``, ``length``, ``content-filter``, ``tool-calls``, ``error``, ``other``, ``unknown``.
    """

    reason: str
    usage: Usage
    metadata: Metadata | None = None


class LanguageModel(Protocol):
    """A model that can be called."""

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Open one answer. Leaving the context, also by cancellation, closes the connection at once.

        Never retries by itself. Raises the errors of ``provider/errors.py``, on entering or while iterating.
        """
        ...
