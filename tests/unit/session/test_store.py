"""The session store: one transaction per commit, events with it, nothing by halves."""

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import replace
from opencode.session.changes import ChangeSession, DeleteSession, PutMessage, PutPart, StartRun, Tell
from opencode.session.errors import MessageNotFound, MessageTaken, SessionNotFound
from opencode.session.inputs import CreateSession
from opencode.session.schema import SessionIdle, SessionUpdated
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


async def test_a_session_that_changes_twice_in_a_commit_is_told_twice_and_stored_as_it_is_at_last(
    sessions: Sessions,
) -> None:
    session = await sessions.service.create(CreateSession(title="a"))
    sessions.events.clear()
    later = session.time.updated + 5
    await sessions.store.commit(
        ChangeSession(session.id, lambda now: replace(now, title="b")),
        ChangeSession(session.id, lambda now: replace(now, time=replace(now.time, updated=later, archived=later))),
    )
    between = replace(session, title="b")
    changed = replace(between, time=replace(session.time, updated=later, archived=later))
    assert sessions.events == [
        SessionUpdated(session_id=session.id, info=between), SessionUpdated(session_id=session.id, info=changed)
    ]  # fmt: skip
    assert sessions.store.session(session.id) == changed
    columns = sessions.database.read("SELECT title, updated_ms, archived_ms FROM session")
    assert columns == [("b", later, later)]


async def test_a_session_that_is_deleted_after_a_change_stays_deleted(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    await sessions.store.commit(
        ChangeSession(session.id, lambda now: replace(now, title="late")), DeleteSession(session)
    )
    assert sessions.store.session(session.id) is None
    with pytest.raises(SessionNotFound):
        await sessions.store.commit(ChangeSession(session.id, lambda now: now))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT record FROM session WHERE project_id = ? ORDER BY updated_ms DESC, id DESC LIMIT 100",
        "SELECT record FROM session WHERE project_id = ? AND directory = ? ORDER BY updated_ms DESC, id DESC LIMIT 100",
        "SELECT record FROM session WHERE updated_ms < ? ORDER BY updated_ms DESC, id DESC LIMIT 100",
        "SELECT record FROM message WHERE session_id = ? AND seq < ? ORDER BY seq DESC LIMIT 100",
        "SELECT record FROM part WHERE session_id = ? AND message_seq BETWEEN ? AND ? ORDER BY message_seq, seq",
        "SELECT max(id) FROM message WHERE session_id = ?",
    ],
)
async def test_lists_are_read_from_an_index_in_their_order(sessions: Sessions, query: str) -> None:
    (plan,) = sessions.database.read(f"EXPLAIN QUERY PLAN {query}", (1,) * query.count("?"))
    assert plan[3].startswith("SEARCH")
