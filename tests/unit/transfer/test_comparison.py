"""What becomes of a session that may be here already."""

import pytest

from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.session.schema import Session, SessionTime
from opencode.transfer.comparison import Decision, decide
from opencode.transfer.reading import Outline
from opencode.transfer.schema import MessageContent, SessionContent


def session(updated: int) -> Session:
    return Session(
        id=SessionID("ses_1"),
        slug="a-b",
        project_id=ProjectID("p"),
        directory="/d",
        title="T",
        version="1",
        time=SessionTime(created=1, updated=updated),
    )


def contents(*said: str) -> list[MessageContent]:
    """``1`` is a message and ``1*`` the same one with other content."""
    return [MessageContent(id=MessageID(f"msg_{text[0]}"), parts=1, digest=text) for text in said]


def test_an_unknown_session_is_new() -> None:
    assert decide(Outline(session(2), None, [], contents("1")), None) == "new"


@pytest.mark.parametrize(
    ("theirs", "ours", "updated", "expected"),
    [
        (["1", "2"], ["1", "2"], 2, "unchanged"),
        (["1", "2"], ["1", "2"], 1, "updated"),
        (["1", "2"], ["1"], 1, "updated"),
        (["1", "2"], ["1"], 2, "updated"),
        (["1", "2*"], ["1", "2"], 1, "updated"),
        (["1", "2*"], ["1", "2"], 3, "kept"),
        (["1", "2"], ["1", "3"], 1, "kept"),
        (["1"], ["1", "2"], 1, "kept"),
        ([], ["1"], 1, "kept"),
    ],
)
def test_ours_follows_the_source_until_it_has_something_of_its_own(
    theirs: list[str], ours: list[str], updated: int, expected: Decision
) -> None:
    """``updated`` is when ours last was; the source was at 2."""
    source = Outline(session(2), None, [], contents(*theirs))
    assert decide(source, SessionContent(session=session(updated), messages=contents(*ours), todos=[])) == expected
