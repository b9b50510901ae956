"""When streams write: at once while it is quiet, in rounds when much happens."""

import asyncio
from collections.abc import Callable
from typing import Final

SECONDS_PER_STREAM: Final = 0.0001
LONGEST_SECONDS: Final = 0.01
STREAMS_PER_TURN: Final = 12
"""So many write in one turn of the loop, in a quarter of a millisecond; then requests have their turn."""
_NOW_SECONDS: Final = 0.0005


class Pacer:
    """Wakes streams together, and after each round leaves time in proportion to the streams it woke.

    A write costs about the same however many events it carries, so what gathers between two rounds is nearly free.
    Few streams, or an event after a pause, do not wait.
    """

    def __init__(self) -> None:
        self._sleepers: list[Callable[[], None]] = []
        self._round: list[Callable[[], None]] = []
        self._woken = 0
        self._next_round = 0.0

    def wake_soon(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` in the next round."""
        self._sleepers.append(wake)
        if len(self._sleepers) == 1 and not self._round:
            self._schedule()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        delay = self._next_round - loop.time()
        if delay < _NOW_SECONDS:
            loop.call_soon(self._begin)
        else:
            loop.call_later(delay, self._begin)

    def _begin(self) -> None:
        self._round, self._sleepers, self._woken = self._sleepers, [], 0
        self._turn()

    def _turn(self) -> None:
        """Wake the next few of the round; after the last of them comes the pause."""
        begin, self._woken = self._woken, self._woken + STREAMS_PER_TURN
        for wake in self._round[begin : self._woken]:
            wake()
        loop = asyncio.get_running_loop()
        if self._woken < len(self._round):
            loop.call_soon(self._turn)
            return
        self._next_round = loop.time() + min(LONGEST_SECONDS, SECONDS_PER_STREAM * len(self._round))
        self._round = []
        if self._sleepers:
            self._schedule()
