"""A model server that never ends, or says too much."""

import pytest

from opencode.provider.wire import sse
from opencode.provider.wire.sse import EventTooLarge, SseReader


@pytest.mark.parametrize("piece", [b"data: x\n", b"data: " + b"x" * 100])
def test_an_event_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT_BYTES", 10_000)
    reader = SseReader()
    with pytest.raises(EventTooLarge):
        for _ in range(10_000):
            assert list(reader.feed(piece)) == []


def test_many_events_are_no_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT_BYTES", 100)
    reader = SseReader()
    assert sum(len(list(reader.feed(b"data: 12345678\n\n"))) for _ in range(1000)) == 1000
