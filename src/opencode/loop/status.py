"""What each session does now, as clients see it."""

from opencode.core.clock import Clock, SystemClock
from opencode.core.ids import SessionID
from opencode.session.changes import Change, Tell
from opencode.session.schema import (
    SessionIdle,
    SessionStatus,
    SessionStatusChanged,
    StatusBusy,
    StatusIdle,
    StatusRetry,
)


class SessionStatuses:
    """The status of every session that is not idle.

    A status is announced together with the records it belongs to: the methods return the changes to commit.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._current: dict[SessionID, SessionStatus] = {}
        self._since_ms: dict[SessionID, int] = {}

    def current(self) -> dict[SessionID, SessionStatus]:
        """Sessions that are not idle (operation ``session.status``)."""
        return dict(self._current)

    def since(self, session_id: SessionID) -> int | None:
        """When the session began what it does, in ms; None while it rests."""
        return self._since_ms.get(session_id)

    def busy(self, session_id: SessionID) -> Change:
        """The session works."""
        return self._set(session_id, StatusBusy())

    def retry(self, session_id: SessionID, attempt: int, message: str, next_ms: int) -> Change:
        """The session waits until ``next_ms`` before it calls the model again."""
        return self._set(session_id, StatusRetry(attempt=attempt, message=message, next=next_ms))

    def idle(self, session_id: SessionID) -> list[Change]:
        """The session rests; old clients hear it in their own words too."""
        self._current.pop(session_id, None)
        self._since_ms.pop(session_id, None)
        status = Tell(SessionStatusChanged(session_id=session_id, status=StatusIdle()))
        return [status, Tell(SessionIdle(session_id=session_id))]

    def _set(self, session_id: SessionID, status: SessionStatus) -> Change:
        if self._current.get(session_id) != status:
            self._since_ms[session_id] = self._clock.now_ms()
        self._current[session_id] = status
        return Tell(SessionStatusChanged(session_id=session_id, status=status))
