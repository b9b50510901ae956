"""Growing parts, as a client sees them that comes back just then."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import ProjectID, SessionID
from opencode.loop.open_parts import OpenPart, OpenParts
from opencode.session.changes import CreateSessionRecord, PutMessage
from opencode.session.schema import MessagePartUpdated, PartTime, Session, SessionTime, TextPart
from opencode.session.sqlite_store import SqliteSessionStore
from tests.support.event_world import DIRECTORY, World, open_world
from tests.support.records import assistant_message, text_part


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "opencode-server.db") as opened:
        yield opened


@pytest.fixture
async def parts(world: World) -> OpenParts:
    store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
    session = Session(
        id=SessionID("ses_1"), slug="x", project_id=ProjectID("p"), directory=DIRECTORY, title="x", version="1",
        time=SessionTime(created=1, updated=1),
    )  # fmt: skip
    await store.commit(CreateSessionRecord(session), PutMessage(assistant_message("ses_1", "msg_2", "msg_1")))
    return OpenParts(store, world.events, world.clock)


async def opened(parts: OpenParts) -> OpenPart:
    return await parts.open(text_part("ses_1", "msg_2", "prt_1", "", time=PartTime(start=1)))


def shown(parts: OpenParts) -> list[str]:
    return [event.part.text for event in parts.current_events()]  # type: ignore[attr-defined]


async def test_a_growing_part_is_shown_with_its_text_so_far(parts: OpenParts) -> None:
    part = await opened(parts)
    await part.append("half an ")
    assert shown(parts) == ["half an "]


async def test_it_is_known_which_sessions_have_growing_parts(parts: OpenParts) -> None:
    part = await opened(parts)
    assert (parts.has_any(SessionID("ses_1")), parts.has_any(SessionID("ses_2"))) == (True, False)
    await part.close()
    assert not parts.has_any(SessionID("ses_1"))


async def test_once_the_end_of_a_part_is_told_it_is_not_shown_as_growing(world: World, parts: OpenParts) -> None:
    """A stream that begins at that moment gets the end from the log, and nothing older after it."""
    part = await opened(parts)
    await part.append("all")
    at_the_end: list[list[str]] = []

    def told(event: MessagePartUpdated) -> None:
        assert isinstance(event.part, TextPart)
        at_the_end.append(shown(parts))

    world.events.subscribe_function(MessagePartUpdated, told)
    await part.close()
    assert at_the_end == [[]]


async def test_a_part_that_is_stored_is_known_although_its_answer_was_aborted_just_then(parts: OpenParts) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await opened(parts)
    assert shown(parts) == [""]
