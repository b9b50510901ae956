"""Messages in portions: as many as one request can carry."""

from collections.abc import Iterable, Iterator
from typing import Final

from opencode.core.wire import encode
from opencode.session.schema import MessageWithParts

PORTION_BYTES: Final = 4 * 1024 * 1024
"""Decoding and storing this much takes a server a moment, not a pause."""


def batches(messages: Iterable[MessageWithParts], limit: int = PORTION_BYTES) -> Iterator[list[MessageWithParts]]:
    """The messages in order; at least one portion, which is empty when there are none."""
    portion: list[MessageWithParts] = []
    size = 0
    for message in messages:
        length = len(encode(message))
        if portion and size + length > limit:
            yield portion
            portion, size = [], 0
        portion.append(message)
        size += length
    yield portion
