"""From which tree to which a session changed files, found without reading all of it."""

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET
from opencode.session.changes import PutMessage, PutPart
from opencode.session.inputs import CreateSession
from opencode.session.schema import StepFinishPart, StepStartPart, Tokens
from tests.support.records import assistant_message, text_part, user_message
from tests.unit.session.conftest import Sessions

LIES = 'it says "type":"step-start" and "snapshot":"no"'


async def session(sessions: Sessions, *trees: str | None) -> SessionID:
    """A session with a question, and a step for each pair of trees in its answer."""
    session = SessionID((await sessions.service.create(CreateSession())).id)
    await sessions.store.commit(
        PutMessage(user_message(session, "msg_1")),
        PutPart(text_part(session, "msg_1", "prt_0", LIES)),
        PutMessage(assistant_message(session, "msg_2", "msg_1")),
    )
    for number in range(0, len(trees), 2):
        place = {"session_id": session, "message_id": MessageID("msg_2")}
        before, after = (UNSET if tree is None else tree for tree in trees[number : number + 2])
        await sessions.store.commit(
            PutPart(StepStartPart(id=PartID(f"prt_{number + 1}"), snapshot=before, **place)),
            PutPart(
                StepFinishPart(
                    id=PartID(f"prt_{number + 2}"), snapshot=after, reason="stop", cost=0, tokens=Tokens(), **place
                )
            ),
        )
    return session


async def test_the_span_is_from_the_first_tree_to_the_last(sessions: Sessions) -> None:
    found = await session(sessions, None, None, "a", "b", "b", "c", "c", None)
    assert sessions.store.snapshot_span(found) == ("a", "c")


@pytest.mark.parametrize("trees", [(), (None, None), ("a", None), (None, "a")])
async def test_without_a_tree_at_both_ends_there_is_no_span(sessions: Sessions, trees: tuple[str | None, ...]) -> None:
    assert sessions.store.snapshot_span(await session(sessions, *trees)) is None


async def test_a_history_begins_at_the_message(sessions: Sessions) -> None:
    found = await session(sessions)
    assert [m.info.id for m in sessions.store.history_from(found, MessageID("msg_2"))] == ["msg_2"]
    assert sessions.store.history_from(found, MessageID("msg_9")) == []
