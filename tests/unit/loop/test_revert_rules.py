"""Where a session goes back to, and what is removed once it goes on from there."""

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET
from opencode.loop.revert import find_point, removals_after
from opencode.session.changes import DeleteMessage, DeletePart
from opencode.session.inputs import RevertInput
from opencode.session.schema import MessageWithParts, Part, PatchPart, SessionRevert
from tests.support.records import assistant_message, text_part, user_message

S = "ses_1"


def asked(n: int) -> MessageWithParts:
    return MessageWithParts(info=user_message(S, f"msg_{n}"), parts=[text_part(S, f"msg_{n}", f"prt_{n}")])


def answered(n: int, to: int, *parts: Part) -> MessageWithParts:
    return MessageWithParts(info=assistant_message(S, f"msg_{n}", f"msg_{to}"), parts=list(parts))


def patch(n: int, id: str, tree: str) -> PatchPart:
    said = text_part(S, f"msg_{n}", id)
    return PatchPart(id=said.id, session_id=said.session_id, message_id=said.message_id, hash=tree, files=["/a"])


def words(n: int, id: str) -> Part:
    return text_part(S, f"msg_{n}", id)


HISTORY = [
    asked(1),
    answered(2, 1, patch(2, "prt_2a", "one")),
    asked(3),
    answered(4, 3, words(4, "prt_4a"), patch(4, "prt_4b", "two"), words(4, "prt_4c"), patch(4, "prt_4d", "three")),
]


@pytest.mark.parametrize(
    ("message", "part", "goes_to", "at_part", "undone"),
    [
        ("msg_1", None, "msg_1", None, ["one", "two", "three"]),
        ("msg_3", None, "msg_3", None, ["two", "three"]),
        ("msg_4", None, "msg_3", None, ["two", "three"]),
        ("msg_4", "prt_4a", "msg_3", None, ["two", "three"]),
        ("msg_4", "prt_4c", "msg_4", "prt_4c", ["three"]),
    ],
)
def test_the_point_is_a_whole_turn_unless_an_answer_has_said_something_before_it(
    message: str, part: str | None, goes_to: str, at_part: str | None, undone: list[str]
) -> None:
    wanted = RevertInput(message_id=MessageID(message), part_id=UNSET if part is None else PartID(part))
    point = find_point(HISTORY, wanted)
    assert point is not None
    assert (point.message_id, point.part_id) == (goes_to, UNSET if at_part is None else at_part)
    assert [patch.hash for patch in point.patches] == undone


@pytest.mark.parametrize("wanted", [("msg_9", None), ("msg_4", "prt_1")])
def test_an_unknown_point_is_none(wanted: tuple[str, str | None]) -> None:
    part = UNSET if wanted[1] is None else PartID(wanted[1])
    assert find_point(HISTORY, RevertInput(message_id=MessageID(wanted[0]), part_id=part)) is None


def test_everything_from_the_point_on_is_removed() -> None:
    removed = list(removals_after(HISTORY, SessionRevert(message_id=MessageID("msg_3"))))
    assert removed == [DeleteMessage(SessionID(S), MessageID(id)) for id in ("msg_3", "msg_4")]


def test_an_answer_keeps_what_it_said_before_the_part() -> None:
    revert = SessionRevert(message_id=MessageID("msg_4"), part_id=PartID("prt_4c"))
    removed = list(removals_after(HISTORY, revert))
    assert removed == [DeletePart(SessionID(S), MessageID("msg_4"), PartID(id)) for id in ("prt_4c", "prt_4d")]


@pytest.mark.parametrize(
    ("message", "part", "left"),
    [("msg_9", None, []), ("msg_2", "prt_gone", ["msg_3", "msg_4"])],
    ids=["a message that was deleted", "a part that was deleted"],
)
def test_of_a_point_that_is_gone_nothing_more_is_removed(message: str, part: str | None, left: list[str]) -> None:
    revert = SessionRevert(message_id=MessageID(message), part_id=UNSET if part is None else PartID(part))
    removed = list(removals_after(HISTORY, revert))
    assert [change.message_id for change in removed if isinstance(change, DeleteMessage)] == left
    assert len(removed) == len(left)
