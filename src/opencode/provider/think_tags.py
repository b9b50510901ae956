"""Reasoning that a raw model writes into its text, as ``<think>...</think>`` before the answer.

Servers that know their model give its reasoning apart from its text. Others, local ones above all, hand on what the
model writes. Tags are split off only where the user says so, and only at the very beginning: elsewhere they are text.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from opencode.provider.request import ModelRequest
from opencode.provider.stream import (
    LanguageModel,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
)

OPEN: Final = "<think>"
CLOSE: Final = "</think>"
OPTION: Final = "thinkTags"
"""Option of a provider: true, or the ids of the models that write so."""


def writes_think_tags(options: Mapping[str, Any], model_id: str) -> bool:
    """Whether the provider's options say so of a model."""
    said = options.get(OPTION)
    return model_id in said if isinstance(said, list) else said is True


class SplitThinking:
    """A model whose ``<think>`` block comes out as reasoning."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Open one answer; see ``LanguageModel``."""
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        async with self._model.stream(request) as events:
            yield _split(events)


async def _split(events: AsyncIterator[StreamEvent]) -> AsyncIterator[StreamEvent]:
    splitter: Splitter | None = None
    async for event in events:
        if isinstance(event, TextStart) and splitter is None:
            splitter = Splitter(event)
        elif isinstance(event, TextDelta) and splitter is not None and event.id == splitter.id:
            for ours in splitter.feed(event.text):
                yield ours
        elif isinstance(event, TextEnd) and splitter is not None and event.id == splitter.id:
            for ours in splitter.end(event):
                yield ours
        else:
            yield event


class Splitter:
    """Splits the first text of an answer.

    Holds back what may turn out to be a tag, and the start of the text until there is some.
    """

    def __init__(self, start: TextStart) -> None:
        self.id = start.id
        self._start = start
        self._thoughts = f"{start.id}-think"
        self._held = ""
        self._is_decided = self._has_thoughts = self._is_thinking = self._has_text = False

    def feed(self, text: str) -> Iterator[StreamEvent]:
        """The events of one more piece."""
        self._held += text
        if not self._is_decided:
            begun = self._held.lstrip()
            if OPEN.startswith(begun):  # also of nothing but blanks
                return
            self._is_decided = True
            if begun.startswith(OPEN):
                self._has_thoughts = self._is_thinking = True
                self._held = begun.removeprefix(OPEN)
                yield ReasoningStart(id=self._thoughts)
        yield from self._think() if self._is_thinking else self._say()

    def end(self, event: TextEnd) -> Iterator[StreamEvent]:
        """The events at the end of the text; thoughts that were never closed are thoughts."""
        if self._is_thinking:
            yield from self._thought(self._held)
            yield ReasoningEnd(id=self._thoughts)
            return
        yield from self._say()
        if self._has_thoughts and not self._has_text:
            return  # There was nothing but thoughts.
        if not self._has_text:
            yield self._start
        yield event

    def _think(self) -> Iterator[StreamEvent]:
        thought, closing, rest = self._held.partition(CLOSE)
        if closing:
            self._is_thinking, self._held = False, rest
            yield from self._thought(thought)
            yield ReasoningEnd(id=self._thoughts)
            yield from self._say()
            return
        kept = next((n for n in range(len(CLOSE) - 1, 0, -1) if self._held.endswith(CLOSE[:n])), 0)
        thought, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        yield from self._thought(thought)

    def _thought(self, text: str) -> Iterator[StreamEvent]:
        if text:
            yield ReasoningDelta(id=self._thoughts, text=text)

    def _say(self) -> Iterator[StreamEvent]:
        said = self._held.lstrip("\n") if self._has_thoughts and not self._has_text else self._held
        self._held = ""
        if not said:
            return
        if not self._has_text:
            self._has_text = True
            yield self._start
        yield TextDelta(id=self.id, text=said)
