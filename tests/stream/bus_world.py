"""A bus with little memory, texts that grow on it, and clients that keep breaking off: every edge comes up often."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import anyio

from opencode.core.ids import IdGenerator
from opencode.core.tasks import task_group
from opencode.event.bus import EventBus, EventPublisher
from opencode.event.log import open_event_log
from opencode.event.schema import Event, EventScope
from opencode.storage.database import Database, open_database
from opencode.storage.errors import StorageClosedError
from tests.support.event_world import ManualClock, Message, parse

DIRECTORIES = ("/one", "/two")
RING_BYTES, LOG_BYTES, BUFFER_BYTES = 6_000, 40_000, 8_000
TEXTS = 12
ABSENCES = (0, 30, 30, 300, 2_000)
"""For how many events at most a client stays away: none, about what memory holds, within the log, beyond it."""


class Put(Event):
    """A text as it is now. ``number`` counts the durable events of a directory."""

    type: ClassVar[str] = "test.put"
    name: str
    text: str
    number: int


class Removed(Event):
    """A text is gone."""

    type: ClassVar[str] = "test.removed"
    name: str
    number: int


class Grew(Event):
    """More text; not logged."""

    type: ClassVar[str] = "test.grew"
    durable: ClassVar[bool] = False
    name: str
    delta: str


class Live(Event):
    """A growing text so far: what a client is told that comes back late."""

    type: ClassVar[str] = "test.live"
    durable: ClassVar[bool] = False
    name: str
    text: str


class Refused(Exception):
    """A change that is undone."""


@dataclass
class Directory:
    """The truth about one directory. ``growing`` names texts that have more than what was stored of them."""

    name: str
    texts: dict[str, str] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)
    growing: set[str] = field(default_factory=set)
    number: int = 0


@dataclass
class Progress:
    """How many events were told in all runs."""

    events: int = 0


class Server:
    """One run of a server: changes texts at random and tells of it."""

    def __init__(
        self, database: Database, bus: EventBus, directories: list[Directory], seed: random.Random, progress: Progress
    ) -> None:
        self.bus = bus
        self._progress = progress
        self._database = database
        self._random = seed
        self._publishers = {one.name: bus.scoped(EventScope(directory=one.name)) for one in directories}
        self._directories = directories
        bus.live_events = self._live

    def _live(self, directory: str | None) -> Iterator[tuple[EventScope, Event]]:
        for one in self._directories:
            if directory in (None, one.name):
                for name in one.growing:
                    yield self._publishers[one.name].scope, Live(name=name, text=one.texts[name])

    async def repair(self) -> None:
        """What grew when the run before this one ended is what was stored of it."""
        for one in self._directories:
            for name in list(one.growing):
                one.growing.discard(name)
                one.texts[name] = one.stored[name]
                await self._put(one, name)

    async def step(self) -> None:
        """One random change."""
        one = self._random.choice(self._directories)
        name = f"text{self._random.randrange(TEXTS)}"
        kind = self._random.choices(("grow", "put", "remove", "refused", "pause"), weights=(60, 40, 3, 2, 5))[0]
        if kind == "grow" and name in one.texts:
            self._grow(one, name)
        elif kind == "remove" and name in one.texts:
            await self._remove(one, name)
        elif kind == "refused":
            await self._refuse(one)
        elif kind == "pause":
            for _ in range(self._random.randrange(8)):
                await anyio.lowlevel.checkpoint()
        else:
            one.texts[name] = one.texts.get(name, "") if self._random.random() < 0.9 else ""
            await self._put(one, name)

    async def finish(self) -> None:
        """Everything that grows comes to its end."""
        for one in self._directories:
            for name in list(one.growing):
                await self._put(one, name)

    def dispose(self) -> None:
        """The instance of a directory goes: its streams end."""
        self._publisher(self._random.choice(self._directories)).dispose()

    def _grow(self, one: Directory, name: str) -> None:
        for _ in range(self._random.choice((1, 1, 2, 20))):
            delta = self._random.choice("abcdefgh") * self._random.randint(1, 30)
            one.texts[name] += delta
            one.growing.add(name)
            self._publisher(one).publish(Grew(name=name, delta=delta))
            self._progress.events += 1

    async def _put(self, one: Directory, name: str) -> None:
        one.growing.discard(name)
        one.stored[name] = one.texts[name] = one.texts[name][-300:]
        one.number += 1
        event = Put(name=name, text=one.texts[name], number=one.number)
        await self._database.write(lambda tx: self._publisher(one).append(tx, event))
        self._progress.events += 1

    async def _remove(self, one: Directory, name: str) -> None:
        one.growing.discard(name)
        del one.texts[name], one.stored[name]
        one.number += 1
        event = Removed(name=name, number=one.number)
        await self._database.write(lambda tx: self._publisher(one).append(tx, event))
        self._progress.events += 1

    async def _refuse(self, one: Directory) -> None:
        def change(tx: Any) -> None:
            self._publisher(one).append(tx, Put(name="never", text="", number=-1))
            raise Refused

        with suppress(Refused):
            await self._database.write(change)

    def _publisher(self, one: Directory) -> EventPublisher:
        return self._publishers[one.name]


class Client:
    """Follows one directory, or all. ``uncertain``: texts that were loaded while they grew."""

    def __init__(
        self, number: int, directory: str | None, directories: list[Directory], seed: random.Random, progress: Progress
    ) -> None:
        self.label = f"client {number} of {directory or 'all'}"
        self.directory = directory
        self.texts: dict[tuple[str, str], str] = {}
        self.uncertain: set[tuple[str, str]] = set()
        self.resyncs: list[str] = []
        self.bus: EventBus | None = None
        self.calm = False
        self.waits = False
        self._directories = directories
        self._progress = progress
        self._random = seed
        self._cursor: str | None = None
        self._numbers: dict[str, int] = {}

    async def run(self) -> None:
        """Connect, break off, come back; until cancelled."""
        while True:
            bus = self.bus
            if bus is not None:
                with suppress(StorageClosedError):  # the server stops while it replays
                    await self._follow(bus)
            await anyio.lowlevel.checkpoint()
            back_at = self._progress.events + self._random.randint(0, self._random.choice(ABSENCES))
            while self._progress.events < back_at and not self.calm:  # noqa: ASYNC110 (cheaper than an event for each)
                await anyio.sleep(0.001)

    async def _follow(self, bus: EventBus) -> None:
        budget = self._random.choice((200, 3_000, 50_000)) * self._random.random()
        async with bus.subscribe(self.directory, self._cursor, buffer_bytes=BUFFER_BYTES) as subscription:
            batches = subscription.batches()
            try:
                self.waits = True
                async for batch in batches:
                    self.waits = False
                    whole = batch if self.calm else batch[: max(0, int(budget))]
                    self._take(parse(b"".join(part + b"\n\n" for part in whole.split(b"\n\n")[:-1])))
                    budget -= len(batch)
                    if budget < 0 and not self.calm:
                        return
                    if not self.calm:
                        for _ in range(self._random.choice((0, 0, 0, 3, 60))):
                            await anyio.lowlevel.checkpoint()
                    self.waits = True
            finally:
                self.waits = False
                await batches.aclose()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            where = str(message.data.get("directory", self.directory))
            self._apply(where, str(message.payload["type"]), message.payload["properties"])
            if message.id is not None:
                self._cursor = message.id

    def _apply(self, where: str, kind: str, properties: Any) -> None:
        key = (where, properties.get("name", ""))
        match kind:
            case "server.connected" if self._cursor is None:
                self._load()
            case "server.resync":
                self.resyncs.append(properties["reason"])
                self._load()
            case "test.put" | "test.removed":
                assert properties["number"] <= self._numbers[where] + 1, f"{self.label}: a gap without a word at {key}"
                self._numbers[where] = max(self._numbers[where], properties["number"])
                self.uncertain.discard(key)
                if kind == "test.put":
                    self.texts[key] = properties["text"]
                else:
                    self.texts.pop(key, None)
            case "test.live":
                self.texts[key] = properties["text"]
                self.uncertain.discard(key)
            case "test.grew" if key in self.texts:
                self.texts[key] += properties["delta"]

    def _load(self) -> None:
        mine = [one for one in self._directories if self.directory in (None, one.name)]
        self.texts = {(one.name, name): text for one in mine for name, text in one.texts.items()}
        self.uncertain = {(one.name, name) for one in mine for name in one.growing}
        self._numbers = {one.name: one.number for one in mine}

    def check(self) -> None:
        """What is known is true, apart from texts that were loaded while they grew."""
        mine = [one for one in self._directories if self.directory in (None, one.name)]
        truth = {(one.name, name): text for one in mine for name, text in one.texts.items()}
        for key in truth.keys() | self.texts.keys():
            if key not in self.uncertain:
                assert self.texts.get(key) == truth.get(key), f"{self.label}: {key}"


@asynccontextmanager
async def one_run(
    path: Path, directories: list[Directory], seed: random.Random, progress: Progress
) -> AsyncIterator[Server]:
    """A run of the server on the same database."""
    clock = ManualClock()
    async with open_database(path, clock=clock) as database:
        log = await open_event_log(database, clock, max_bytes=LOG_BYTES)
        bus = EventBus(log, IdGenerator(clock), clock, ring_bytes=RING_BYTES)
        server = Server(database, bus, directories, seed, progress)
        await server.repair()
        yield server
        bus.close()


async def simulate(path: Path, seed: int, *, events: int, events_per_run: int) -> list[Client]:
    """Clients follow a server through many runs; raises ``AssertionError`` with the seed when one is deceived."""
    world = random.Random(seed)
    directories = [Directory(name) for name in DIRECTORIES]
    progress = Progress()
    targets = (None, None, *DIRECTORIES, *DIRECTORIES)
    clients = [
        Client(n, target, directories, random.Random(f"{seed} {n}"), progress) for n, target in enumerate(targets)
    ]
    try:
        async with task_group() as following:
            for client in clients:
                following.start_soon(client.run)
            while progress.events < events:
                async with one_run(path, directories, world, progress) as server:
                    ends_at = progress.events + events_per_run
                    for client in clients:
                        client.bus = server.bus
                    while progress.events < ends_at:
                        await server.step()
                        if world.random() < 0.02:
                            await compare(clients)
                        if world.random() < 0.001:
                            server.dispose()
                    if world.random() < 0.3:
                        await compare_at_rest(server, clients)
                    for client in clients:
                        client.bus = None
            following.cancel_scope.cancel()
    except BaseException as error:
        error.add_note(f"seed {seed}, after {progress.events} events")
        raise
    return clients


async def compare(clients: list[Client]) -> None:
    """Whoever is connected knows, after a moment without news, what is true; texts may be growing just then."""
    for _ in range(2):
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.003)
    for client in clients:
        if client.waits:
            client.check()


async def compare_at_rest(server: Server, clients: list[Client]) -> None:
    """When nothing grows any more everybody comes back and knows everything."""
    await server.finish()
    for client in clients:
        client.calm = True
    with anyio.fail_after(10):
        while not all(client.waits for client in clients):  # noqa: ASYNC110 (all at one moment)
            await anyio.sleep(0.001)
    await compare(clients)
    for client in clients:
        assert client.waits, f"{client.label} gets no stream any more"
        client.calm = False
