"""Which models are being called, for those who ask what a session waits for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from opencode.core.clock import Clock
from opencode.core.ids import SessionID
from opencode.session.schema import AssistantMessage


@dataclass(slots=True, eq=False)
class ModelCall:
    """One call. ``heard_ms``: when the model last said something; None before its first word."""

    message: AssistantMessage
    attempt: int
    since_ms: int
    clock: Clock
    heard_ms: int | None = None

    def heard(self) -> None:
        """The model said something."""
        self.heard_ms = self.clock.now_ms()


class ModelCalls:
    """The calls that are under way in one directory."""

    def __init__(self) -> None:
        self._calls: dict[SessionID, list[ModelCall]] = {}

    def of(self, session_id: SessionID) -> list[ModelCall]:
        """Those of a session, oldest first."""
        return list(self._calls.get(session_id, ()))

    @asynccontextmanager
    async def begun(self, message: AssistantMessage, attempt: int, clock: Clock) -> AsyncIterator[ModelCall]:
        """A call for as long as the block lasts. ``attempt`` counts from 1."""
        call = ModelCall(message, attempt, clock.now_ms(), clock)
        calls = self._calls.setdefault(message.session_id, [])
        calls.append(call)
        try:
            yield call
        finally:
            calls.remove(call)
            if not calls:
                self._calls.pop(message.session_id, None)
