"""A session store on a real database, and the events it tells of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, ProjectID
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import Event, EventScope
from opencode.session.service import SessionService
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.storage.database import Database, open_database
from tests.support.records import PLACE


@dataclass
class Sessions:
    """A store, a service over it, and what they published."""

    database: Database
    store: SqliteSessionStore
    service: SessionService
    events: list[Event] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        return [event.type for event in self.events]


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    clock = SystemClock()
    ids = IdGenerator(clock)
    async with open_database(tmp_path / "test.db") as database:
        bus = EventBus(await open_event_log(database, clock), ids, clock)
        events = bus.scoped(EventScope(directory=str(PLACE.directory), project=ProjectID("p1")))
        store = SqliteSessionStore(database, events, clock, str(PLACE.directory))
        made = Sessions(database, store, SessionService(store, ids, clock, PLACE))
        for kind in Event.__subclasses__():
            events.subscribe_function(kind, made.events.append)
        yield made
