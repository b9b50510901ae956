"""Which sessions get a title, and what of the model's words becomes it."""

from typing import Any

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET
from opencode.loop.title import clean_title, wants_title
from opencode.session.schema import MessageWithParts, Session, SessionTime
from tests.support.records import assistant_message, text_part, user_message

DEFAULT = "New session - 2026-01-02T03:04:05.678Z"


def session(title: str = DEFAULT, parent: Any = UNSET) -> Session:
    return Session(
        id=SessionID("ses_1"), slug="x", project_id="p", directory="/", title=title, version="1", parent_id=parent,
        time=SessionTime(created=1, updated=1),
    )  # fmt: skip


def said(id: str, *, synthetic: bool = False) -> MessageWithParts:
    part = text_part("ses_1", id, f"prt_{id}", **({"synthetic": True} if synthetic else {}))
    return MessageWithParts(info=user_message("ses_1", id), parts=[part])


ANSWER = MessageWithParts(info=assistant_message("ses_1", "msg_9", "msg_1"), parts=[])


@pytest.mark.parametrize(
    ("who", "history", "wants"),
    [
        (session(), [said("msg_1")], True),
        (session(), [said("msg_0", synthetic=True), said("msg_1"), ANSWER], True),
        (session(), [said("msg_1"), ANSWER, said("msg_2")], False),
        (session(), [said("msg_1", synthetic=True)], False),
        (session("Mine"), [said("msg_1")], False),
        (session(DEFAULT + " and more"), [said("msg_1")], False),
        (session(DEFAULT.replace("New", "Child")), [said("msg_1")], True),
        (session(parent=SessionID("ses_0")), [said("msg_1")], False),
    ],
)
def test_the_first_prompt_of_an_unnamed_root_session_gives_its_title(
    who: Session, history: list[MessageWithParts], wants: bool
) -> None:
    assert wants_title(who, history) is wants


@pytest.mark.parametrize(
    ("spoken", "title"),
    [
        ("Fixing the clock", "Fixing the clock"),
        ("\n\n  Fixing  \nthe clock", "Fixing"),
        ("<think>Hm,\nwhat now?</think>\n\nFixing", "Fixing"),
        ("<think>a</think>One<think>b</think>", "One"),
        ("", ""),
        ("  \n ", ""),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 97 + "..."),
    ],
)
def test_a_title_is_the_first_line_that_says_something(spoken: str, title: str) -> None:
    assert clean_title(spoken) == title
