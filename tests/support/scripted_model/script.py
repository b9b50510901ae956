"""What a scripted model answers: turns made of small operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio


@dataclass(frozen=True)
class Text:
    """Text in ``chunks`` deltas of about the same size."""

    text: str
    chunks: int = 1


@dataclass(frozen=True)
class Repeat:
    """The same delta many times."""

    text: str
    count: int


@dataclass(frozen=True)
class Reasoning:
    """Thinking. ``seal`` is the signature (Anthropic) or encrypted content (Responses) that must come back."""

    text: str
    chunks: int = 1
    seal: str = "c2ln"


@dataclass(frozen=True)
class Redacted:
    """A thinking block that only the provider can read (Anthropic)."""

    data: str


@dataclass(frozen=True)
class Call:
    """A tool call. ``raw``: the arguments' text, when it is not the JSON of ``arguments``."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = "call_1"
    raw: str | None = None
    chunks: int = 1
    index: int | None = None
    """The index on the wire (Chat Completions), when a server gets it wrong."""
    is_whole: bool = True
    """Whether its last piece comes."""


@dataclass(frozen=True)
class Sleep:
    """A pause."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """A pause until the test sets the event; ``reached`` is set when the answer has come to this point."""

    until: anyio.Event
    reached: anyio.Event | None = None


@dataclass(frozen=True)
class Fail:
    """A failing answer; must be the first operation. ``body``: JSON value, or text when a string."""

    status: int
    message: str = "refused"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    code: str | None = None
    type: str = "invalid_request_error"
    reason: str | None = None


@dataclass(frozen=True)
class Silence:
    """No answer at all; must be the first operation. ``hangs_up``: the connection is closed, else it stays open."""

    hangs_up: bool = False


@dataclass(frozen=True)
class StreamError:
    """An error event in the middle of an answer."""

    message: str
    code: str | None = "server_error"
    type: str = "server_error"


@dataclass(frozen=True)
class Cut:
    """The connection breaks: ``clean`` with a proper end of the body, otherwise in the middle of it."""

    clean: bool = False


@dataclass(frozen=True)
class Raw:
    """Bytes as they are, for what no well-behaved provider sends."""

    data: bytes


Op = Text | Repeat | Reasoning | Redacted | Call | Sleep | Wait | Fail | Silence | StreamError | Cut | Raw


@dataclass(frozen=True)
class Tokens:
    """Token counts. ``input`` includes cached ones, ``output`` includes reasoning."""

    input: int = 100
    output: int = 10
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Turn:
    """One answer. ``finish``: ``stop``, ``length``, ``content_filter``; by default what the operations imply."""

    ops: tuple[Op, ...]
    tokens: Tokens = Tokens()
    finish: str | None = None

    @property
    def finish_reason(self) -> str:
        """In the words of Chat Completions."""
        return self.finish or ("tool_calls" if any(isinstance(op, Call) for op in self.ops) else "stop")


def turn(*ops: Op | str, tokens: Tokens | None = None, finish: str | None = None) -> Turn:
    """A turn; plain strings are texts in one delta."""
    return Turn(tuple(Text(op) if isinstance(op, str) else op for op in ops), tokens or Tokens(), finish)


def pieces(text: str, count: int) -> list[str]:
    """The text in ``count`` pieces, fewer when it is shorter."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]
