"""A bus on a real database, with a clock that only moves when told, and what its streams say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import msgspec

from opencode.core.ids import IdGenerator, ProjectID, SessionID
from opencode.event.bus import EventBus, EventPublisher
from opencode.event.log import EventLog, open_event_log
from opencode.event.schema import Event, EventScope
from opencode.event.subscription import Subscription
from opencode.storage.database import Database, open_database

RING_BYTES = 4 * 1024 * 1024
NOW = 1_800_000_000_000
DIRECTORY = "/home/u/p"


class ManualClock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = NOW

    def now_ms(self) -> int:
        return self.now


class Changed(Event):
    """A durable event."""

    type: ClassVar[str] = "test.changed"
    session_id: SessionID = SessionID("ses_1")
    number: int


class Ticked(Event):
    """A transient one."""

    type: ClassVar[str] = "test.ticked"
    durable: ClassVar[bool] = False
    number: int


class Message(msgspec.Struct):
    """One message of a stream, read back."""

    id: str | None
    data: dict[str, object]

    @property
    def payload(self) -> dict[str, object]:
        return self.data.get("payload", self.data)  # type: ignore[return-value]

    @property
    def shown(self) -> tuple[object, ...]:
        """Type, and number where there is one."""
        properties: dict[str, object] = self.payload["properties"]  # type: ignore[assignment]
        return (self.payload["type"], *properties.values()) if properties else (self.payload["type"],)


class World:
    """What a server would hold."""

    def __init__(self, database: Database, log: EventLog, clock: ManualClock, *, ring_bytes: int) -> None:
        self.database = database
        self.log = log
        self.clock = clock
        self.bus = EventBus(log, IdGenerator(clock), clock, ring_bytes=ring_bytes)
        self.events = self.publisher(DIRECTORY)

    def publisher(self, directory: str, project: str | None = "prj") -> EventPublisher:
        return self.bus.scoped(EventScope(directory=directory, project=ProjectID(project) if project else None))

    async def change(self, *numbers: int, events: EventPublisher | None = None) -> None:
        """Append durable events in one commit."""
        publisher = events or self.events
        await self.database.write(lambda tx: publisher.append(tx, *(Changed(number=number) for number in numbers)))

    async def change_nothing(self) -> None:
        """Let the others run until a commit has been made."""
        await self.database.write(lambda tx: None)

    def tick(self, *numbers: int) -> None:
        self.events.publish(*(Ticked(number=number) for number in numbers))


def parse(batch: bytes) -> list[Message]:
    """The messages of a batch; every one is complete."""
    *blocks, rest = batch.decode().split("\n\n")
    assert rest == ""
    messages = []
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        messages.append(Message(fields.get("id"), msgspec.json.decode(fields["data"])))
    return messages


async def read(subscription: Subscription, count: int) -> list[Message]:
    """The first messages of a stream."""
    messages: list[Message] = []
    batches = subscription.batches()
    async for batch in batches:
        messages += parse(batch)
        if len(messages) >= count:
            break
    await batches.aclose()
    return messages


def shown(messages: list[Message]) -> list[tuple[object, ...]]:
    return [message.shown for message in messages]


@asynccontextmanager
async def open_world(path: Path, *, ring_bytes: int = RING_BYTES) -> AsyncIterator[World]:
    """A new run of a server on a database."""
    clock = ManualClock()
    async with open_database(path, clock=clock) as database:
        yield World(database, await open_event_log(database, clock), clock, ring_bytes=ring_bytes)
