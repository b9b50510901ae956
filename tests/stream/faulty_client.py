"""A client of an event stream to whom everything happens that happens to clients."""

import random
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2

from tests.stream.client_state import ClientState, load
from tests.stream.connection import Connection, Message, StreamEnded

COUNTED = "count "
"""Sessions with such a title count upwards, one at a time: whoever skips a number has a gap."""
FOREIGN_CURSORS = ("nonsense", "abc.17", "{epoch}.9999999999999999")


@dataclass
class Where:
    """Where the server is at the moment, and what all clients are told."""

    url: str = ""
    directories: list[str] = field(default_factory=list)
    calm: bool = False
    """No more faults: read everything, quickly."""


class Client:
    """Follows ``/event`` of one directory, or ``/global/event``, and keeps its state by the events alone.

    It reads the state from the server only at its first connection and after ``server.resync``.
    """

    def __init__(self, name: str, where: Where, directory: str | None, seed: str, *, faulty: bool = True) -> None:
        self.name = name
        self.state = ClientState()
        self.events = 0
        self.connections = 0
        self.resyncs: list[str] = []
        self.changed = anyio.Event()
        self._where = where
        self._directory = directory
        self._random = random.Random(seed)
        self._faulty = faulty
        self._cursor: str | None = None
        self._loaded = False
        self._foreign = False
        self._counts: dict[str, int] = {}

    async def run(self) -> None:
        """Connect, read, break off, come back; until cancelled."""
        while True:
            try:
                await self._follow()
            except (StreamEnded, OSError, httpx2.TransportError):
                await anyio.sleep(0.01)
            else:
                await anyio.sleep(0 if self._where.calm else self._random.choice((0, 0.005, 0.05, 0.3, 1.0)))

    def follows(self, directory: str) -> bool:
        """Whether it hears of what happens there."""
        return self._directory in (None, directory)

    async def until(self, condition: Any) -> None:
        """Wait until the state fulfils a condition."""
        while not condition(self.state):
            await self.changed.wait()

    # --- one connection -----------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        faults = self._random if self._faulty and not self._where.calm else None
        if faults and faults.random() < 0.02:
            self._loaded, self._cursor = False, None  # the program was restarted
        small = bool(faults and faults.random() < 0.3)
        connection = await Connection.open(self._where.url, self._path(), self._chosen_cursor(faults), small=small)
        self.connections += 1
        ends_after = faults.choice((100, 2_000, 20_000, 200_000)) * faults.random() if faults else 0.0
        try:
            while not faults or connection.bytes_read < ends_after:
                if faults and self._where.calm:
                    return
                for message in await connection.read(faults.choice((7, 300, 4096, 1 << 18)) if faults else 1 << 18):
                    await self._take(message)
                if small and faults:
                    await anyio.sleep(faults.choice((0, 0.001, 0.02)))
        finally:
            connection.cut()

    def _path(self) -> str:
        return "/global/event" if self._directory is None else f"/event?directory={self._directory}"

    def _chosen_cursor(self, faults: random.Random | None) -> str | None:
        self._foreign = False
        if not self._loaded:
            return None
        if faults and faults.random() < 0.03 and self._cursor is not None:
            self._foreign = True
            return faults.choice(FOREIGN_CURSORS).format(epoch=self._cursor.split(".")[0])
        return self._cursor

    # --- messages -----------------------------------------------------------------------------------------------------

    async def _take(self, message: Message) -> None:
        kind, properties = message.payload["type"], message.payload["properties"]
        if kind == "server.connected" and not self._loaded:
            await self._load()
        elif kind == "server.resync":
            self.resyncs.append(properties["reason"])
            self._foreign = False
            await self._load()
        else:
            assert not self._foreign or kind == "server.connected", f"{self.name}: a foreign cursor was continued"
            self._check_count(kind, properties)
            self.state.apply(kind, properties)
        if message.id is not None:
            self._cursor = message.id
        self.events += 1
        self.changed.set()
        self.changed = anyio.Event()

    async def _load(self) -> None:
        """Read everything anew. What has come on the stream meanwhile follows."""
        self._loaded = False
        directories = self._where.directories if self._directory is None else [self._directory]
        async with httpx2.AsyncClient(base_url=self._where.url, timeout=30) as http:
            self.state = await load(lambda path: get(http, path), directories)
        self._loaded = True
        self._counts = {id: count for id, s in self.state.sessions.items() if (count := count_of(s)) is not None}

    def _check_count(self, kind: str, properties: dict[str, Any]) -> None:
        if kind not in ("session.created", "session.updated") or (count := count_of(properties["info"])) is None:
            return
        before = self._counts.get(properties["info"]["id"])
        assert before is None or count <= before + 1, f"{self.name}: a gap without a word: {before} -> {count}"
        self._counts[properties["info"]["id"]] = max(count, before or 0)


def count_of(session: dict[str, Any]) -> int | None:
    """The number of a counting session."""
    title = session["title"]
    return int(title.removeprefix(COUNTED)) if title.startswith(COUNTED) else None


async def get(http: httpx2.AsyncClient, path: str) -> Any:
    """The answer to a GET; a session that has been deleted meanwhile has nothing."""
    response = await http.get(path)
    if response.status_code == 404:
        return []
    response.raise_for_status()
    return response.json()
