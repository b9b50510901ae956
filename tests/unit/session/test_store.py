"""The session store: one transaction per commit, events with it, nothing by halves."""

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import replace
from opencode.session.changes import ChangeSession, PutMessage, PutPart, StartRun, Tell
from opencode.session.errors import MessageNotFound, MessageTaken, SessionNotFound
from opencode.session.inputs import CreateSession
from opencode.session.schema import SessionIdle
from opencode.session.store import RunningSession
from tests.support.records import text_part, user_message
from tests.unit.session.conftest import Sessions


async def test_changes_are_told_in_the_order_they_were_made(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    sessions.events.clear()
    await sessions.store.commit(
        PutMessage(user_message(session.id, "msg_1")),
        PutPart(text_part(session.id, "msg_1", "prt_1")),
        PutPart(text_part(session.id, "msg_1", "prt_2"), silent=True),
        ChangeSession(session.id, lambda now: replace(now, title="t")),
        Tell(SessionIdle(session_id=session.id)),
    )
    assert sessions.told == ["message.updated", "message.part.updated", "session.updated", "session.idle"]


async def test_a_commit_that_cannot_be_made_whole_is_not_made_at_all(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    sessions.events.clear()
    with pytest.raises(MessageNotFound):
        await sessions.store.commit(
            ChangeSession(session.id, lambda now: replace(now, title="lost")),
            PutPart(text_part(session.id, "msg_1", "prt_1")),
        )
    assert (await sessions.service.get(session.id)).title == session.title
    assert sessions.events == []


async def test_a_message_of_an_unknown_session_is_refused(sessions: Sessions) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.store.commit(PutMessage(user_message("ses_x", "msg_1")))


async def test_a_message_id_belongs_to_one_session(sessions: Sessions) -> None:
    one = await sessions.service.create(CreateSession())
    two = await sessions.service.create(CreateSession())
    await sessions.store.commit(PutMessage(user_message(one.id, "msg_1")))
    with pytest.raises(MessageTaken):
        await sessions.store.commit(PutMessage(user_message(two.id, "msg_1")))


async def test_changes_of_a_session_build_on_one_another(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession(title=""))
    made = await sessions.store.commit(
        *[
            ChangeSession(session.id, lambda now, letter=letter: replace(now, title=now.title + letter))
            for letter in "abc"
        ]
    )
    assert [one.title for one in made] == ["a", "ab", "abc"]


async def test_runs_of_this_directory_are_remembered(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    await sessions.store.commit(StartRun(session.id, "loop"))
    assert sessions.store.running() == [RunningSession(session_id=SessionID(session.id), kind="loop")]
