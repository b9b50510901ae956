"""The newest part of a long history, read without the rest."""

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.visible_history import visible_history
from opencode.session.changes import Change, PutMessage, PutPart
from opencode.session.inputs import CreateSession
from opencode.session.schema import CompactionPart, MessageText, UnknownError
from tests.support.records import assistant_message, text_part, user_message
from tests.unit.session.conftest import Sessions

FAILED = UnknownError(data=MessageText(message="no summary"))


def turn(session_id: SessionID, number: int) -> list[Change]:
    """A question and its answer."""
    asked, answered = f"msg_{number:02}a", f"msg_{number:02}b"
    return [
        PutMessage(user_message(session_id, asked)),
        PutPart(text_part(session_id, asked, f"prt_{number:02}a")),
        PutMessage(assistant_message(session_id, answered, asked, finish="stop")),
        PutPart(text_part(session_id, answered, f"prt_{number:02}b")),
    ]


def compaction(session_id: SessionID, number: int, tail: str | None = None, *, failed: bool = False) -> list[Change]:
    """A compaction with its summary."""
    marker = MessageID(f"msg_{number:02}a")
    part = CompactionPart(
        id=PartID(f"prt_{number:02}a"),
        session_id=session_id,
        message_id=marker,
        auto=True,
        tail_start_id=MessageID(tail) if tail else UNSET,
    )
    outcome = {"error": FAILED} if failed else {"finish": "stop"}
    summary = assistant_message(session_id, f"msg_{number:02}b", marker, summary=True, **outcome)
    return [PutMessage(user_message(session_id, marker)), PutPart(part), PutMessage(summary)]


async def recent(sessions: Sessions, *changes: list[Change]) -> list[str]:
    """The ids of the recent history, which shows what the whole one shows."""
    session = SessionID((await sessions.service.create(CreateSession())).id)
    for each in changes:
        moved = [_in(session, change) for change in each]
        await sessions.store.commit(*moved)
    found = sessions.store.recent_history(session)
    assert visible_history(found) == visible_history(sessions.store.history(session))
    return [message.info.id for message in found]


def _in(session: SessionID, change: Change) -> Change:
    """The change, for a session that did not exist when it was written."""
    match change:
        case PutMessage(message):
            return PutMessage(replace(message, session_id=session))
        case PutPart(part):
            return PutPart(replace(part, session_id=session))
        case _:
            return change


NOWHERE = SessionID("ses_x")


async def test_without_a_compaction_it_is_the_whole_history(sessions: Sessions) -> None:
    assert await recent(sessions, turn(NOWHERE, 1), turn(NOWHERE, 2)) == ["msg_01a", "msg_01b", "msg_02a", "msg_02b"]


async def test_it_begins_with_the_newest_compaction(sessions: Sessions) -> None:
    changes = [turn(NOWHERE, 1), compaction(NOWHERE, 2), turn(NOWHERE, 3), compaction(NOWHERE, 4), turn(NOWHERE, 5)]
    assert await recent(sessions, *changes) == ["msg_04a", "msg_04b", "msg_05a", "msg_05b"]


async def test_the_tail_that_a_compaction_kept_belongs_to_it(sessions: Sessions) -> None:
    changes = [turn(NOWHERE, 1), turn(NOWHERE, 2), compaction(NOWHERE, 3, tail="msg_02a"), turn(NOWHERE, 4)]
    assert (await recent(sessions, *changes))[0] == "msg_02a"


async def test_a_compaction_that_failed_does_not_count(sessions: Sessions) -> None:
    changes = [turn(NOWHERE, 1), compaction(NOWHERE, 2), turn(NOWHERE, 3), compaction(NOWHERE, 4, failed=True)]
    assert (await recent(sessions, *changes))[0] == "msg_02a"
