"""Summaries are made in the background, one by one, and do not repeat themselves."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import IdGenerator, MessageID, PartID, ProjectID, SessionID
from opencode.core.wire import UNSET
from opencode.event.schema import Event
from opencode.loop import turn_summary
from opencode.loop.turn_summary import TurnSummaries
from opencode.project.git import Git
from opencode.session.changes import CreateSessionRecord, DeleteSession, PutMessage, PutPart
from opencode.session.schema import (
    MessageUpdated,
    Session,
    SessionDiff,
    SessionTime,
    SessionUpdated,
    StepFinishPart,
    StepStartPart,
    Tokens,
    UserMessage,
)
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.snapshot.service import SnapshotService, open_snapshots
from tests.support.event_world import DIRECTORY, World, open_world
from tests.support.records import assistant_message, user_message

ID = SessionID("ses_1")
SESSION = Session(
    id=ID, slug="x", project_id=ProjectID("p"), directory=DIRECTORY, title="x", version="1",
    time=SessionTime(created=1, updated=1),
)  # fmt: skip
WHOLE, SHORT = ["session.updated", "session.diff", "message.updated"], ["session.updated"]


class Place:
    """A session in a repository, its summaries, and what is told of them."""

    def __init__(self, world: World, summaries: TurnSummaries, snapshots: SnapshotService, directory: Path) -> None:
        self.store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
        self.summaries = summaries
        self._snapshots = snapshots
        self._directory = directory
        self._ids = IdGenerator(world.clock)
        self.told: list[Event] = []
        for kind in (SessionUpdated, SessionDiff, MessageUpdated):
            world.events.subscribe_function(kind, self.told.append)

    async def prompt(self, message_id: str) -> None:
        await self.store.commit(PutMessage(user_message(ID, message_id)))
        self.told.clear()

    async def step(self, message_id: str, **files: str) -> None:
        """An answer to a prompt during which files got new content."""
        answer = assistant_message(ID, self._ids.message(), message_id)
        before = await self._snapshots.track()
        for name, content in files.items():
            (self._directory / name).write_text(content)
        after = await self._snapshots.track()
        common = {"session_id": ID, "message_id": answer.id}
        start = StepStartPart(id=PartID(self._ids.part()), snapshot=before or UNSET, **common)
        finish = StepFinishPart(
            id=PartID(self._ids.part()), snapshot=after or UNSET, reason="stop", cost=0, tokens=Tokens(), **common
        )
        await self.store.commit(PutMessage(answer), PutPart(start), PutPart(finish))
        self.told.clear()

    async def summary(self, *message_ids: str) -> list[str]:
        """The types of what is told once these turns are summarised."""
        for message_id in message_ids:
            self.summaries.begin(ID, MessageID(message_id))
        with anyio.fail_after(20):
            await self.summaries.finish(ID)
        types = [event.type for event in self.told]
        self.told.clear()
        return types

    def files(self, message_id: str) -> list[object]:
        """The names in the summary of a user message."""
        message = self.store.message(ID, MessageID(message_id))
        assert message is not None and isinstance(message.info, UserMessage) and message.info.summary is not UNSET
        return [diff.file for diff in message.info.summary.diffs]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    directory = tmp_path / "project"
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True)  # noqa: ASYNC221
    snapshots = open_snapshots(
        data=tmp_path, project_id="p", directory=directory, worktree=directory, git=Git({}), environ={}, enabled=True
    )
    async with open_world(tmp_path / "opencode-server.db") as world, anyio.create_task_group() as tasks:
        store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
        await store.commit(CreateSessionRecord(SESSION))
        yield Place(world, TurnSummaries(store, snapshots, tasks), snapshots, directory)


async def test_changes_of_files_are_told_and_kept_with_the_prompt(place: Place) -> None:
    await place.prompt("msg_1")
    await place.step("msg_1", a="1\n")
    assert await place.summary("msg_1") == WHOLE
    assert place.files("msg_1") == ["a"]
    session = place.store.session(ID)
    assert session is not None and session.summary is not UNSET
    assert (session.summary.files, session.summary.additions) == (1, 1)


async def test_changes_that_are_known_are_not_told_again(place: Place) -> None:
    await place.prompt("msg_1")
    await place.step("msg_1", a="1\n")
    assert await place.summary("msg_1") == WHOLE
    await place.step("msg_1")
    assert await place.summary("msg_1") == SHORT
    await place.step("msg_1", b="2\n")
    assert await place.summary("msg_1") == WHOLE
    assert place.files("msg_1") == ["a", "b"]


async def test_a_turn_that_changes_nothing_tells_the_changes_before_it_once(place: Place) -> None:
    await place.prompt("msg_1")
    await place.step("msg_1", a="1\n")
    await place.summary("msg_1")
    await place.prompt("msg_2")
    assert await place.summary("msg_2") == WHOLE
    await place.step("msg_2")
    assert await place.summary("msg_2") == SHORT
    assert place.files("msg_2") == []


async def test_that_nothing_has_changed_is_told_after_each_step(place: Place) -> None:
    """As the reference does. Source: golden trace ``prompt_sync``."""
    await place.prompt("msg_1")
    for _ in range(2):
        await place.step("msg_1")
        assert await place.summary("msg_1") == WHOLE


async def test_what_is_asked_for_again_before_it_began_is_done_once_and_in_order(place: Place) -> None:
    await place.prompt("msg_1")
    await place.prompt("msg_2")
    place.summaries.begin(ID, MessageID("msg_1"))
    assert place.told == []
    assert await place.summary("msg_2", "msg_1", "msg_2") == WHOLE * 2
    assert (place.files("msg_1"), place.files("msg_2")) == ([], [])


async def test_a_session_that_is_deleted_meanwhile_has_no_summary(place: Place) -> None:
    await place.prompt("msg_1")
    await place.store.commit(DeleteSession(SESSION))
    assert await place.summary("msg_1") == []


async def test_a_session_rests_although_its_summary_takes_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_summary, "PATIENCE_SECONDS", 0.0)
    await place.prompt("msg_1")
    await place.step("msg_1", a="1\n")
    assert await place.summary("msg_1") == []
    monkeypatch.undo()
    assert await place.summary() == WHOLE


async def test_to_wait_for_nothing_takes_no_time(place: Place) -> None:
    await place.summaries.finish(ID)
    assert place.told == []
