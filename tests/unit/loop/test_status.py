"""What sessions do now, and what is told of it."""

from opencode.core.ids import SessionID
from opencode.loop.status import SessionStatuses
from opencode.session.changes import Tell
from opencode.session.schema import SessionIdle, SessionStatusChanged, StatusBusy, StatusIdle, StatusRetry
from tests.support.event_world import NOW, ManualClock

A, B = SessionID("ses_a"), SessionID("ses_b")
WAITS = StatusRetry(attempt=2, message="Slow down", next=17)


def test_only_sessions_that_do_something_have_a_status() -> None:
    statuses = SessionStatuses()
    statuses.busy(A)
    statuses.retry(B, 2, "Slow down", 17)
    assert statuses.current() == {A: StatusBusy(), B: WAITS}
    statuses.idle(A)
    statuses.idle(A)
    assert statuses.current() == {B: WAITS}


def test_each_change_comes_with_the_event_that_tells_of_it() -> None:
    statuses = SessionStatuses()
    assert statuses.busy(A) == Tell(SessionStatusChanged(session_id=A, status=StatusBusy()))
    assert statuses.retry(A, 2, "Slow down", 17) == Tell(SessionStatusChanged(session_id=A, status=WAITS))
    assert statuses.idle(A) == [
        Tell(SessionStatusChanged(session_id=A, status=StatusIdle())),
        Tell(SessionIdle(session_id=A)),
    ]


def test_the_answer_is_a_copy() -> None:
    statuses = SessionStatuses()
    statuses.current()[A] = StatusBusy()
    assert statuses.current() == {}


def test_since_when_a_session_does_what_it_does_is_known_while_it_does() -> None:
    clock = ManualClock()
    statuses = SessionStatuses(clock)
    statuses.busy(A)
    clock.now += 5
    statuses.busy(A)
    assert (statuses.since(A), statuses.since(B)) == (NOW, None)
    statuses.retry(A, 1, "Slow down", 17)
    assert statuses.since(A) == NOW + 5
    statuses.idle(A)
    assert statuses.since(A) is None
