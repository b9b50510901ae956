"""Forks: a copy of the history with ids of its own."""

import json

import pytest

from opencode.core.ids import MessageID
from opencode.core.wire import UNSET
from opencode.session.changes import PutMessage, PutPart
from opencode.session.errors import SessionNotFound
from opencode.session.fork import fork_title
from opencode.session.inputs import CreateSession, ForkSession
from opencode.session.schema import SessionUpdated, Tokens
from tests.support.records import assistant_message, text_part, user_message
from tests.unit.session.conftest import Sessions


@pytest.mark.parametrize(
    ("title", "forked"),
    [
        ("Plan", "Plan (fork #1)"),
        ("Plan (fork #1)", "Plan (fork #2)"),
        ("Plan (fork #9)", "Plan (fork #10)"),
        ("Plan (fork #x)", "Plan (fork #x) (fork #1)"),
    ],
)
def test_forks_are_numbered(title: str, forked: str) -> None:
    assert fork_title(title) == forked


async def conversation(sessions: Sessions) -> str:
    session = await sessions.service.create(CreateSession(title="Talk", metadata={"a": {"b": 1}}))
    for n in (1, 3):
        ask, answer = f"msg_{n}", f"msg_{n + 1}"
        await sessions.store.commit(
            PutMessage(user_message(session.id, ask)),
            PutPart(text_part(session.id, ask, f"prt_{n}", f"question {n}")),
            PutMessage(assistant_message(session.id, answer, ask, tokens=Tokens(input=7, output=3), cost=2)),
            PutPart(text_part(session.id, answer, f"prt_{n + 1}", f"answer {n}")),
        )
    return session.id


async def test_a_fork_has_the_same_history_under_new_ids(sessions: Sessions) -> None:
    original = await sessions.service.get(await conversation(sessions))  # type: ignore[arg-type]
    sessions.events.clear()
    forked = await sessions.service.fork(original.id, ForkSession())
    assert (forked.title, forked.metadata, forked.parent_id) == ("Talk (fork #1)", {"a": {"b": 1}}, UNSET)
    assert sessions.told == ["session.created", *["message.updated", "message.part.updated"] * 4, "session.updated"]
    before, after = sessions.store.history(original.id), sessions.store.history(forked.id)
    assert [m.parts[0].text for m in before] == [m.parts[0].text for m in after]  # type: ignore[union-attr]
    ids = [message.info.id for message in after]
    assert not set(ids) & {message.info.id for message in before}
    assert [getattr(message.info, "parent_id", None) for message in after] == [None, ids[0], None, ids[2]]
    assert all(part.session_id == forked.id and part.message_id == m.info.id for m in after for part in m.parts)


async def test_what_a_fork_has_used_is_told(sessions: Sessions) -> None:
    session_id = await conversation(sessions)
    forked = await sessions.service.fork(session_id, ForkSession())  # type: ignore[arg-type]
    told = sessions.events[-1]
    assert isinstance(told, SessionUpdated)
    assert told.info == await sessions.service.get(forked.id)
    assert (told.info.tokens, told.info.cost) == (Tokens(input=14, output=6), 4)


async def test_a_fork_of_nothing_tells_only_that_it_is_there(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    sessions.events.clear()
    await sessions.service.fork(session.id, ForkSession())
    assert sessions.told == ["session.created"]


async def test_a_fork_at_a_message_ends_before_it(sessions: Sessions) -> None:
    session_id = await conversation(sessions)
    forked = await sessions.service.fork(session_id, ForkSession(message_id=MessageID("msg_3")))  # type: ignore[arg-type]
    assert len(json.loads((await sessions.service.messages(forked.id, None, None)).body)) == 2


async def test_a_fork_at_an_unknown_message_has_everything(sessions: Sessions) -> None:
    session_id = await conversation(sessions)
    forked = await sessions.service.fork(session_id, ForkSession(message_id=MessageID("msg_x")))  # type: ignore[arg-type]
    assert len(sessions.store.history(forked.id)) == 4


async def test_an_unknown_session_cannot_be_forked(sessions: Sessions) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.service.fork("ses_missing", ForkSession())  # type: ignore[arg-type]
