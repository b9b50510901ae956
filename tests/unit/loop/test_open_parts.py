"""Growing parts, as a client sees them that comes back just then."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import MessageID, PartID, ProjectID, SessionID
from opencode.loop.open_parts import OpenPart, OpenParts
from opencode.session.changes import CreateSessionRecord, PutMessage
from opencode.session.schema import MessagePartDelta, MessagePartUpdated, PartTime, Session, SessionTime, TextPart
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


async def test_every_piece_is_told_with_the_place_it_belongs_to(world: World, parts: OpenParts) -> None:
    told: list[MessagePartDelta] = []
    world.events.subscribe_function(MessagePartDelta, told.append)
    part = await opened(parts)
    await part.append("half")
    ids = {"session_id": SessionID("ses_1"), "message_id": MessageID("msg_2"), "part_id": PartID("prt_1")}
    assert told == [MessagePartDelta(**ids, field="text", delta="half")]  # type: ignore[arg-type]


async def test_a_growing_part_is_stored_now_and_then_without_a_word(
    world: World, parts: OpenParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = await opened(parts)
    told: list[MessagePartUpdated] = []
    world.events.subscribe_function(MessagePartUpdated, told.append)
    await part.append("half ")
    assert stored(world) == ""
    monkeypatch.setattr("opencode.loop.open_parts.SAVE_EVERY_SECONDS", 0.0)
    await part.append("of ")
    await part.append("it")
    assert (stored(world), told) == ("half of it", [])
    assert [event for event in parts.current_events() if isinstance(event, MessagePartUpdated)] == [
        MessagePartUpdated(session_id=SessionID("ses_1"), part=part.current, time=world.clock.now)
    ]


async def test_who_reads_a_message_has_its_growing_parts_stored_first_and_nobody_is_told(
    world: World, parts: OpenParts
) -> None:
    part = await opened(parts)
    await part.append("half")
    told: list[MessagePartUpdated] = []
    world.events.subscribe_function(MessagePartUpdated, told.append)
    await parts.save_all(SessionID("ses_2"))
    assert stored(world) == ""
    await parts.save_all(SessionID("ses_1"))
    assert (stored(world), told) == ("half", [])


async def test_a_part_that_ends_keeps_when_it_began(world: World, parts: OpenParts) -> None:
    part = await opened(parts)
    await part.close({"wire": 1})
    store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
    ended = store.part(SessionID("ses_1"), MessageID("msg_2"), PartID("prt_1"))
    assert isinstance(ended, TextPart)
    assert (ended.time, ended.metadata) == (PartTime(start=1, end=world.clock.now), {"wire": 1})


def stored(world: World) -> str:
    """The text of the part as it is stored."""
    store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
    part = store.part(SessionID("ses_1"), MessageID("msg_2"), PartID("prt_1"))
    assert isinstance(part, TextPart)
    return part.text
