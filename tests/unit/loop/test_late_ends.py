"""Ends that the database refused are stored when it takes them, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, ProjectID, SessionID
from opencode.core.tasks import BackgroundJobs
from opencode.core.wire import UNSET
from opencode.event.bus import EventBus, EventPublisher
from opencode.event.log import open_event_log
from opencode.event.schema import EventScope
from opencode.loop.late_ends import LateEnds
from opencode.loop.repair import NOT_STORED
from opencode.session.changes import PutMessage, StartRun
from opencode.session.inputs import CreateSession
from opencode.session.schema import AssistantMessage, SessionIdle
from opencode.session.service import SessionService
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.storage.database import Database, open_database
from opencode.storage.errors import StorageReadOnlyError
from tests.support.records import PLACE, assistant_message, user_message


class Place:
    """A session with an open message, in a database that can refuse."""

    def __init__(self, database: Database, store: SqliteSessionStore, events: EventPublisher, late: LateEnds) -> None:
        self.database = database
        self.store = store
        self.late = late
        self.session = SessionID("")
        self.idle = anyio.Event()
        events.subscribe_function(SessionIdle, lambda _: self.idle.set())

    def refuse(self) -> None:
        """From now on the database takes nothing."""
        self.database.read("PRAGMA query_only = ON")

    def accept(self) -> None:
        self.database.read("PRAGMA query_only = OFF")

    @property
    def message(self) -> AssistantMessage:
        info = self.store.history(self.session)[-1].info
        assert isinstance(info, AssistantMessage)
        return info


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = SystemClock()
    ids = IdGenerator(clock)
    async with open_database(tmp_path / "test.db") as database, anyio.create_task_group() as tasks:
        bus = EventBus(await open_event_log(database, clock), ids, clock)
        events = bus.scoped(EventScope(directory=str(PLACE.directory), project=ProjectID("p1")))
        store = SqliteSessionStore(database, events, clock, str(PLACE.directory))
        late = LateEnds(store, clock, BackgroundJobs(tasks, limit=4, service="test"), retry_seconds=0.01)
        place = Place(database, store, events, late)
        place.session = (await SessionService(store, ids, clock, PLACE).create(CreateSession())).id
        open_message = assistant_message(place.session, "msg_2", "msg_1")
        user = user_message(place.session, "msg_1")
        await store.commit(StartRun(place.session, "loop"), PutMessage(user), PutMessage(open_message))
        yield place
        tasks.cancel_scope.cancel()


async def test_the_end_is_stored_as_soon_as_the_database_takes_it(place: Place) -> None:
    place.refuse()
    place.late.later(place.session)
    with anyio.fail_after(5):
        with anyio.move_on_after(0.05):
            await place.idle.wait()
        assert place.message.time.completed is UNSET
        place.accept()
        await place.idle.wait()
    assert place.message.time.completed is not UNSET
    assert place.message.error == NOT_STORED.error
    assert place.store.running() == []


async def test_a_session_that_runs_again_stores_it_first_or_does_not_run(place: Place) -> None:
    place.refuse()
    place.late.later(place.session)
    assert place.late.misses(place.session)
    with pytest.raises(StorageReadOnlyError):
        await place.late.now(place.session)
    assert place.late.misses(place.session)
    place.accept()
    await place.late.now(place.session)
    assert not place.late.misses(place.session)
    assert place.message.error == NOT_STORED.error


async def test_a_session_whose_end_is_stored_is_left_alone(place: Place) -> None:
    await place.late.now(place.session)
    assert place.message.time.completed is UNSET
