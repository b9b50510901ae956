"""What providers send although JSON does not allow it."""

from math import inf, nan
from typing import Any

import msgspec
import pytest

from opencode.provider.errors import StreamFault
from opencode.provider.stream import StepFinish
from opencode.provider.wire.tolerant import copilot_bill, count, read
from tests.support.scripted_model.script import Fail, Raw, turn
from tests.support.wires import WireUnderTest, text_of


class Thing(msgspec.Struct):
    """Something to read."""

    text: str = ""
    usage: Any = None


THING = msgspec.json.Decoder(Thing)


def test_numbers_that_are_none_are_read_as_nothing() -> None:
    assert read(THING, b'{"text": "NaN", "usage": {"a": NaN, "b": -Infinity}}') == Thing("NaN", {"a": None, "b": None})


@pytest.mark.parametrize(
    "data", [b"{oops", b"", b'{"text": 1}', b"[" * 100_000], ids=["words", "nothing", "type", "deep"]
)
def test_anything_else_is_a_fault(data: bytes) -> None:
    with pytest.raises(StreamFault, match="not JSON"):
        read(THING, data)


@pytest.mark.parametrize(
    ("value", "counted"),
    [(7, 7), (7.0, 7), (7.9, 7), (-7, 0), (nan, 0), (inf, 0), (None, 0), ("7", 0), (True, 0), ({}, 0)],
)
def test_only_a_number_above_nothing_counts(value: Any, counted: int) -> None:
    assert count({"a": {"b": value}}, "a", "b") == counted
    assert count(value, "a") == 0


@pytest.mark.parametrize("usage", [b'"none"', b"[]", b"7", b'{"prompt_tokens":"many","prompt_tokens_details":[]}'])
async def test_odd_usage_does_not_take_the_answer(chat: WireUnderTest, usage: bytes) -> None:
    chat.server.push(turn("x", Raw(b'data: {"choices":[],"usage":%b}\n\n' % usage)))
    assert isinstance((await chat.ask())[-1], StepFinish)


async def test_copilots_bill_comes_with_the_end_of_an_answer(chat: WireUnderTest, responses: WireUnderTest) -> None:
    bill = b'"copilot_usage":{"total_nano_aiu":25}'
    chat.server.push(turn("x", Raw(b'data: {"choices":[],%b}\n\n' % bill)))
    completed = b'data: {"type":"response.completed","response":{"id":"r",%b}}\n\n' % bill
    responses.server.push(turn("x", Raw(completed)))
    for wire in (chat, responses):
        end = (await wire.ask())[-1]
        assert isinstance(end, StepFinish) and end.metadata is not None
        assert end.metadata["copilot"] == {"totalNanoAiu": 25}


@pytest.mark.parametrize("billed", [nan, -1, "25", None, True])
def test_a_bill_that_is_no_amount_is_none(billed: Any) -> None:
    assert copilot_bill({"copilot_usage": {"total_nano_aiu": billed}}) is None
    assert copilot_bill({"copilot_usage": {"total_nano_aiu": billed}}, {"copilot_usage": {"total_nano_aiu": 1}}) == {
        "copilot": {"totalNanoAiu": 1}
    }


async def test_a_stream_that_calls_itself_a_page_is_read(chat: WireUnderTest) -> None:
    stream = 'data: {"choices":[{"delta":{"content":"Said."},"finish_reason":"stop"}]}\n\n'
    chat.server.push(turn(Fail(200, body=stream, headers={"content-type": "text/html"})))
    assert text_of(await chat.ask()) == "Said."
