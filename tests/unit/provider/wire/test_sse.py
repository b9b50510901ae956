"""Cutting a byte stream into events."""

import time

import pytest

from opencode.provider.wire import sse
from opencode.provider.wire.sse import EventTooLarge, SseReader

STREAM = b': hi\r\nevent: x\r\ndata: {"a":1}\r\n\r\ndata: one\ndata: two\n\ndata:[DONE]\n\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_events_come_out_whole_however_the_bytes_arrive(size: int) -> None:
    reader = SseReader()
    found = [data for start in range(0, len(STREAM), size) for data in reader.feed(STREAM[start : start + size])]
    assert found == [b'{"a":1}', b"one\ntwo", b"[DONE]"]
    assert list(reader.rest()) == []


def test_an_event_without_its_final_blank_line_is_not_lost() -> None:
    reader = SseReader()
    assert list(reader.feed(b"data: last")) == []
    assert list(reader.rest()) == [b"last"]


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT_BYTES", 10)
    with pytest.raises(EventTooLarge):
        list(SseReader().feed(b"data: much too long"))


def test_a_huge_event_in_small_pieces_is_put_together_once() -> None:
    reader, began = SseReader(), time.process_time()
    pieces, piece = 128 * 1024, b"x" * 64
    assert list(reader.feed(b"data: ")) == []
    for _ in range(pieces):
        assert list(reader.feed(piece)) == []
    assert list(reader.feed(b"\n\n")) == [piece * pieces]
    assert time.process_time() - began < 10  # adding each piece to what there is takes minutes
