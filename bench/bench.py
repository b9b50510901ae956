"""One run: the servers, their scratch directories, and the samples taken so far."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Target, connected
from bench.peers import Peer, Server, running
from bench.projects import config, make_project


@dataclass(frozen=True, slots=True)
class Sample:
    """What one unit of work cost: wall-clock seconds (or MiB) and processor seconds of the server."""

    value: float
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done. ``scale`` divides the numbers of sessions, messages and clients."""

    rounds: int = 5
    seconds: float = 0.5
    scale: int = 1
    warm_up: bool = True

    def of(self, count: int) -> int:
        return max(2, count // self.scale)


@dataclass(slots=True)
class World:
    """One server with a home of its own."""

    server: Server
    folder: Path
    model_port: int

    def target(self, name: str = "main", *, many: int = 0, **settings: object) -> Target:
        """A project of the server, made when it is first asked for; ``many``: with so many files more."""
        directory = self.folder / name
        if not directory.exists():
            make_project(directory, config(self.model_port, **settings), many)
        return Target(self.server.port, str(directory))


Measure = Callable[[World], Awaitable[Sample | dict[str, Sample]]]


@dataclass(slots=True)
class Bench:
    """The samples of every row and server."""

    peers: list[Peer]
    root: Path
    model_port: int
    effort: Effort
    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    snapshots: dict[str, bool] = field(default_factory=dict)
    """Whether a server keeps a git snapshot of the files before a step, as its first prompt showed."""
    growth: dict[str, dict[int, Sample]] = field(default_factory=dict)
    """Ours alone: per line of the plot, the cost at each size."""

    def add(self, row: str, peer: str, sample: Sample) -> None:
        self.samples.setdefault(row, {}).setdefault(peer, []).append(sample)

    async def rounds(
        self, row: str, worlds: Sequence[World], measure: Measure, *, warm_up: bool = True, at_most: int | None = None
    ) -> None:
        """Measure all servers in turn, some rounds long; each round begins with another one.

        ``at_most``: so many rounds are enough, because one takes long.
        """
        if warm_up and self.effort.warm_up:
            for world in worlds:
                await measure(world)
        rounds = self.effort.rounds if at_most is None else min(at_most, self.effort.rounds)
        for number in range(rounds):
            start = number % len(worlds)
            for world in (*worlds[start:], *worlds[:start]):
                found = await measure(world)
                for key, sample in (found if isinstance(found, dict) else {row: found}).items():
                    self.add(key, world.server.peer.name, sample)
        self.tell(row)

    def plain(self) -> dict[str, dict[str, list[list[float | None]]]]:
        """Every sample, as JSON can hold it."""
        return {
            row: {peer: [[sample.value, sample.cpu] for sample in found] for peer, found in peers.items()}
            for row, peers in self.samples.items()
        }

    def tell(self, row: str) -> None:
        """One line about a row that is complete."""
        shown = [f"{peer} {_seconds(samples)}" for peer, samples in self.samples.get(row, {}).items()]
        print(f"{row:16} {'   '.join(shown)}", flush=True)

    @asynccontextmanager
    async def worlds(self, name: str) -> AsyncIterator[list[World]]:
        """Every server, started in its home of this name."""
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(self.world(peer, name)) for peer in self.peers]

    @asynccontextmanager
    async def world(self, peer: Peer, name: str) -> AsyncIterator[World]:
        folder = self.root / peer.name / name
        folder.mkdir(parents=True, exist_ok=True)
        async with running(peer, folder / "home", folder) as server:
            yield World(server, folder, self.model_port)


def _seconds(samples: Sequence[Sample]) -> str:
    value = statistics.median(sample.value for sample in samples)
    cpus = [sample.cpu for sample in samples if sample.cpu is not None]
    return f"{value:.6f}" + (f" cpu {statistics.median(cpus):.6f}" if cpus else "")


async def load(world: World, request: bytes, seconds: float, connections: int = 8) -> tuple[Sample, list[float]]:
    """Ask the same again and again on some connections; the cost of one request, and every latency."""
    latencies: list[float] = []
    async with connected(world.server.port, connections) as made:
        cpu, began = world.server.cpu(), time.perf_counter()
        until = began + seconds

        async def ask_on(number: int) -> None:
            while True:
                asked = time.perf_counter()
                if asked >= until:
                    return
                await made[number].ask(request)
                latencies.append(time.perf_counter() - asked)

        await asyncio.gather(*map(ask_on, range(connections)))
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    return Sample(wall / len(latencies), cpu / len(latencies)), latencies
