"""What a session has used in all."""

from opencode.core.ids import ProjectID, SessionID
from opencode.core.wire import UNSET
from opencode.session.schema import CacheTokens, Session, SessionTime, Tokens
from opencode.session.totals import added_usd, with_usage


def session(**fields: object) -> Session:
    return Session(
        id=SessionID("ses_1"), slug="x", project_id=ProjectID("p"), directory="/", title="x", version="1",
        time=SessionTime(created=1, updated=1), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def test_amounts_add_up_as_they_were_written() -> None:
    used = session()
    for _ in range(10):
        used = with_usage(used, Tokens(input=1, output=2, reasoning=3, cache=CacheTokens(read=4, write=5)), 0.1)
    assert used.cost == 1.0
    assert used.tokens == Tokens(input=10, output=20, reasoning=30, cache=CacheTokens(read=40, write=50))


def test_a_session_of_an_earlier_version_begins_at_nothing() -> None:
    used = with_usage(session(cost=UNSET, tokens=UNSET), Tokens(input=1), 0.1)
    assert (used.cost, used.tokens) == (0.1, Tokens(input=1))


def test_nothing_stays_a_whole_nothing() -> None:
    assert str(added_usd(0, 0)) == "0"
    assert added_usd(0.1, 0.2) == 0.3
