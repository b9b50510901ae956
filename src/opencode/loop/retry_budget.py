"""How much of a turn may be lost on model calls that fail."""

from dataclasses import dataclass

from opencode.core.ids import SessionID
from opencode.loop.failures import MAX_RETRIES, Retry


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """``attempts``: retries of one call. ``turn_seconds``: failed calls and the waits after them, together."""

    attempts: int = MAX_RETRIES
    turn_attempts: int = 20
    turn_seconds: float = 1_800.0


class RetryBudget:
    """What one turn has lost so far."""

    def __init__(self, limits: RetryLimits) -> None:
        self.limits = limits
        self.attempts = 0
        self.seconds = 0.0

    @property
    def attempts_left(self) -> int:
        return max(0, self.limits.turn_attempts - self.attempts)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.limits.turn_seconds - self.seconds)

    def lost(self, seconds: float) -> None:
        """A call failed after this time."""
        self.seconds += seconds

    def refusal(self, retry: Retry) -> str | None:
        """Why another try does not fit in; None when it does."""
        if not self.attempts_left:
            return f"no more tries: {self.limits.turn_attempts} in a turn (retry.turn_attempts)"
        if retry.delay_seconds > self.seconds_left:
            return (
                f"not waited for: {retry.delay_seconds:.0f} s until the next try, {self.seconds_left:.0f} of"
                f" {self.limits.turn_seconds:.0f} s left in this turn (retry.turn_seconds)"
            )
        return None

    def take(self, retry: Retry) -> None:
        """Another try is made after its delay."""
        self.attempts += 1
        self.seconds += retry.delay_seconds


class RetryBudgets:
    """The budgets of the turns that run in one directory."""

    def __init__(self, limits: RetryLimits | None = None) -> None:
        self.limits = limits or RetryLimits()
        self._budgets: dict[SessionID, RetryBudget] = {}

    def of(self, session_id: SessionID) -> RetryBudget:
        """That of the session's turn."""
        return self._budgets.get(session_id) or self._budgets.setdefault(session_id, RetryBudget(self.limits))

    def end(self, session_id: SessionID) -> None:
        """The turn is over."""
        self._budgets.pop(session_id, None)
