"""``<think>`` blocks of raw models, split off where the user says so."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from opencode.provider.request import ModelRequest
from opencode.provider.stream import (
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    StepFinish,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    Usage,
)
from opencode.provider.think_tags import SplitThinking, writes_think_tags
from tests.support.wires import CHAT, request_of, whole

END = StepFinish(reason="stop", usage=Usage())


class Saying:
    """A model that answers with these pieces of text and then these events."""

    def __init__(self, pieces: list[str], *events: StreamEvent) -> None:
        self._events = [
            TextStart(id="t"),
            *(TextDelta(id="t", text=piece) for piece in pieces),
            TextEnd(id="t", metadata={"m": 1}),
            *events,
            END,
        ]

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        async def events() -> AsyncIterator[StreamEvent]:
            for event in self._events:
                yield event

        yield events()


async def split(*pieces: str) -> tuple[str, str, list[str]]:
    """Thoughts, text, and the kinds of events in order, runs of deltas counted once."""
    events = await whole(SplitThinking(Saying(list(pieces))), request_of(CHAT))
    kinds = [type(event).__name__ for event in events]
    return (
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before],
    )


THOUGHT = ["ReasoningStart", "ReasoningDelta", "ReasoningEnd"]
TEXT = ["TextStart", "TextDelta", "TextEnd"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_thoughts_come_out_as_reasoning_however_they_are_cut(size: int) -> None:
    whole_text = "\n<think>\nIs 1 < 2? </thin yes</think>\n\nIt is.\n"
    pieces = [whole_text[start : start + size] for start in range(0, len(whole_text), size)]
    assert await split(*pieces) == ("\nIs 1 < 2? </thin yes", "It is.\n", [*THOUGHT, *TEXT, "StepFinish"])


@pytest.mark.parametrize(
    "pieces", [["Use <think> here: </think>"], ["<", "b>bold"], ["<thi"], ["\n\nplain"], ["  "], ["<thinking>x"]]
)
async def test_any_other_text_stays_as_it_is(pieces: list[str]) -> None:
    assert await split(*pieces) == ("", "".join(pieces), [*TEXT, "StepFinish"])


async def test_thoughts_that_never_end_are_thoughts() -> None:
    assert await split("<think>hm", "</th") == ("hm</th", "", [*THOUGHT, "StepFinish"])


async def test_an_answer_of_nothing_but_thoughts_has_no_text() -> None:
    assert await split("<think>hm</think>", "\n") == ("hm", "", [*THOUGHT, "StepFinish"])


async def test_an_empty_text_stays_one() -> None:
    assert await split() == ("", "", ["TextStart", "TextEnd", "StepFinish"])


async def test_what_is_no_text_passes_and_later_texts_are_not_looked_at() -> None:
    call = ToolCall(call_id="c", name="x", input={})
    later: list[StreamEvent] = [call, TextStart(id="u"), TextDelta(id="u", text="<think>"), TextEnd(id="u")]
    events = await whole(SplitThinking(Saying(["<think>a</think>b"], *later)), request_of(CHAT))
    assert events == [
        ReasoningStart(id="t-think"),
        ReasoningDelta(id="t-think", text="a"),
        ReasoningEnd(id="t-think"),
        TextStart(id="t"),
        TextDelta(id="t", text="b"),
        TextEnd(id="t", metadata={"m": 1}),
        *later,
        END,
    ]


def test_a_provider_says_which_of_its_models_write_tags() -> None:
    assert not writes_think_tags({}, "m")
    assert writes_think_tags({"thinkTags": True}, "m")
    assert writes_think_tags({"thinkTags": ["m"]}, "m") and not writes_think_tags({"thinkTags": ["m"]}, "n")
    assert not writes_think_tags({"thinkTags": "m"}, "m")
