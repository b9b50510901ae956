"""A clock that a test sets forward."""

from opencode.core.clock import SystemClock


class LaterClock:
    """The clock of the machine, and what was added."""

    def __init__(self) -> None:
        self.added_ms = 0

    def now_ms(self) -> int:
        return SystemClock().now_ms() + self.added_ms
