"""When streams write: at once while it is quiet, in rounds when much happens."""

import asyncio
from collections.abc import Callable
from typing import Final

SECONDS_PER_STREAM: Final = 0.0001
LONGEST_SECONDS: Final = 0.01
_NOW_SECONDS: Final = 0.0005


class Pacer:
    """Wakes streams together, and after each round leaves time in proportion to the streams it woke.

    A write costs about the same however many events it carries, so what gathers between two rounds is nearly free.
    Few streams, or an event after a pause, do not wait.
    """

    def __init__(self) -> None:
        self._sleepers: list[Callable[[], None]] = []
        self._next_round = 0.0

    def wake_soon(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` in the next round."""
        self._sleepers.append(wake)
        if len(self._sleepers) > 1:
            return
        loop = asyncio.get_running_loop()
        delay = self._next_round - loop.time()
        if delay < _NOW_SECONDS:
            loop.call_soon(self._round)
        else:
            loop.call_later(delay, self._round)

    def _round(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        pause = min(LONGEST_SECONDS, SECONDS_PER_STREAM * len(sleepers))
        self._next_round = asyncio.get_running_loop().time() + pause
        for wake in sleepers:
            wake()
