"""The latest frames, in memory: what a client that was away for a moment gets again, deltas included."""

from collections import deque
from itertools import takewhile
from typing import Final

from opencode.event.frame import Frame

RING_BYTES: Final = 4 * 1024 * 1024


class Ring:
    """Holds every frame after ``floor``, at most ``limit`` bytes of them.

    ``directory`` is the key of the streams a frame goes to besides the global ones.
    """

    def __init__(self, floor: int, limit: int = RING_BYTES) -> None:
        self.floor = floor
        self._limit = limit
        self._size = 0
        self._frames: deque[tuple[str, Frame]] = deque()

    def add(self, directory: str, frame: Frame) -> None:
        """Keep a frame, which is later than all others; forget the oldest where there is no room."""
        self._frames.append((directory, frame))
        self._size += frame.memory
        while self._size > self._limit:
            _, oldest = self._frames.popleft()
            self._size -= oldest.memory
            self.floor = oldest.seq

    def after(self, seq: int, directory: str | None) -> list[Frame]:
        """The frames after a position that is not below the floor, of one directory or of all."""
        newest_first = takewhile(lambda kept: kept[1].seq > seq, reversed(self._frames))
        frames = [frame for owner, frame in newest_first if directory is None or owner == directory]
        frames.reverse()
        return frames
