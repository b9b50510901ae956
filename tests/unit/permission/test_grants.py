"""What was allowed for one call that is still to be made again."""

from opencode.core.ids import SessionID
from opencode.permission.grants import LIMIT, OneShotGrants

A, B = SessionID("ses_a"), SessionID("ses_b")


def test_a_grant_lets_one_call_of_its_session_and_kind_pass() -> None:
    grants = OneShotGrants()
    grants.add(A, "bash", ["ls", "pwd"])
    assert not grants.take(B, "bash", ["ls"])
    assert not grants.take(A, "edit", ["ls"])
    assert not grants.take(A, "bash", ["ls", "rm"])
    assert grants.take(A, "bash", ["pwd"])
    assert not grants.take(A, "bash", ["pwd"])


def test_every_grant_counts_for_itself() -> None:
    grants = OneShotGrants()
    grants.add(A, "bash", ["ls"])
    grants.add(A, "bash", ["ls"])
    assert [grants.take(A, "bash", ["ls"]) for _ in range(3)] == [True, True, False]


def test_a_session_that_is_dropped_has_no_grants_and_others_keep_theirs() -> None:
    grants = OneShotGrants()
    for session in (A, B):
        grants.add(session, "bash", ["ls"])
    grants.drop(A)
    assert (grants.take(A, "bash", ["ls"]), grants.take(B, "bash", ["ls"])) == (False, True)


def test_only_the_newest_grants_are_kept() -> None:
    grants = OneShotGrants()
    for number in range(LIMIT + 1):
        grants.add(A, "bash", [str(number)])
    assert not grants.take(A, "bash", ["0"])
    assert grants.take(A, "bash", ["1"])
    assert grants.take(A, "bash", [str(LIMIT)])
