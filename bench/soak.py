"""An hour's work of many users in a few minutes: does anything grow that should not? ``make soak``.

Prompts over many sessions of several directories, with streaming clients that come and go, user shell commands and
disposed instances in between. After every batch, at rest, one look at the server: memory, file descriptors, tasks,
threads, children. Draws ``docs/soak.svg``; ends with 1 when something grows.
"""

import argparse
import asyncio
import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import psutil

from bench.client import Connection, Target, answers, ask_json, connected, listening
from bench.peers import free_port
from bench.projects import config, make_project
from bench.soak_chart import chart

PROBE_FILE = "OPENCODE_SOAK_PROBE"
DIRECTORIES = 4
WORKERS = 8
PERMANENT_STREAMS = 5
LANES = (*["text"] * 6, *["loop3"] * 3, "short")
WARM_UP = 0.2
"""The part of the samples that may still grow: caches fill, libraries load."""
MAY_MOVE = (
    ("memory_mib", 6, 0.08),
    ("blocks", 2_000, 0.02),
    ("descriptors", 0.5, 0),
    ("kept_connections", 4, 0),
    ("tasks", 0.5, 0),
    ("threads", 0.5, 0),
    ("children", 0, 0),
)
"""By how much, or by which part, an average may differ and still count as flat."""
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the server at rest."""

    prompts: int
    seconds: float
    memory_mib: float
    blocks: int
    """What Python has allocated and not freed, large buffers aside."""
    descriptors: int
    """Without the connections that are kept open to the model."""
    kept_connections: int
    tasks: int
    threads: int
    children: int
    database_mib: float


# --- the server, with a window ------------------------------------------------------------------------------------


def serve(port: int) -> None:
    """``opencode serve`` that writes the numbers of its tasks and objects to a file when it gets SIGUSR1."""
    from opencode.cli.main import main  # the program under test: not wanted in the process that drives it

    def probe(*_: object) -> None:
        target = Path(os.environ[PROBE_FILE])
        part = target.with_suffix(".part")
        gc.collect()
        part.write_text(f"{len(asyncio.all_tasks())} {sys.getallocatedblocks()}")
        part.rename(target)

    signal.signal(signal.SIGUSR1, probe)
    sys.argv = ["opencode", "serve", "--port", str(port)]
    main()


class Watched:
    """The server's process, seen from outside."""

    def __init__(self, pid: int, probe_file: Path, database: Path, model_port: int) -> None:
        self._process = psutil.Process(pid)
        self._probe_file = probe_file
        self._database = database
        self._model_port = model_port
        self._began = time.monotonic()

    async def sample(self, prompts: int) -> Sample:
        """A look at it now."""
        process = self._process
        tasks, blocks = await self._probe()
        kept = sum(bool(one.raddr) and one.raddr.port == self._model_port for one in process.net_connections("tcp"))
        return Sample(
            prompts=prompts,
            seconds=round(time.monotonic() - self._began, 1),
            tasks=tasks,
            blocks=blocks,
            memory_mib=round(process.memory_info().rss / 2**20, 1),
            descriptors=process.num_fds() - kept,
            kept_connections=kept,
            threads=process.num_threads(),
            children=len(process.children(recursive=True)),
            database_mib=round(self._database.stat().st_size / 2**20, 1),
        )

    async def _probe(self) -> tuple[int, int]:
        self._probe_file.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(10):
            while not self._probe_file.exists():  # noqa: ASYNC110 (another process writes it)
                await asyncio.sleep(0.01)
        tasks, blocks = map(int, self._probe_file.read_text().split())
        return tasks, blocks


# --- the work -----------------------------------------------------------------------------------------------------


class Work:
    """Prompts in batches. Everything random follows from the seed."""

    def __init__(self, targets: list[Target], sessions: int, seed: int) -> None:
        self._targets = targets
        self._wanted = sessions
        self._random = random.Random(seed)
        self._sessions: list[tuple[Target, str]] = []

    async def prepare(self) -> None:
        """Make the sessions."""
        for number in range(self._wanted):
            target = self._targets[number % len(self._targets)]
            created = await ask_json(target, "POST", "/session", {})
            self._sessions.append((target, created["id"]))

    async def batch(self, prompts: int) -> None:
        """So many prompts by several workers, with other clients coming and going; ends when all are answered."""
        chosen = iter(self._random.choices(self._sessions, k=prompts))
        async with asyncio.TaskGroup() as tasks:
            visitors = [tasks.create_task(self._visit()) for _ in range(4)]
            workers = [tasks.create_task(self._prompt(chosen)) for _ in range(WORKERS)]
            await asyncio.gather(*workers)
            for visitor in visitors:
                visitor.cancel()
        target, session = self._random.choice(self._sessions)
        await ask_json(target, "POST", f"/session/{session}/shell", {"agent": "build", "command": "true"})

    async def dispose(self) -> None:
        """Close one directory; the next request opens it again."""
        target = self._random.choice(self._targets)
        await ask_json(target, "POST", "/instance/dispose")
        await ask_json(target, "GET", "/session?limit=1")

    async def _prompt(self, chosen: Iterator[tuple[Target, str]]) -> None:
        async with connected(self._targets[0].port) as (connection,):
            for target, session in chosen:
                await self._ask(connection, target, session)

    async def _ask(self, connection: Connection, target: Target, session: str) -> None:
        text = f"[lane:{self._random.choice(LANES)}] please " + "go on " * self._random.randint(1, 50)
        body = {"parts": [{"type": "text", "text": text}]}
        await connection.ask(target.request("POST", f"/session/{session}/message", body))

    async def _visit(self) -> None:
        """Clients that listen for a while and go, some without reading."""
        while True:
            target = self._random.choice(self._targets)
            async with listening(target, self._random.randint(1, 5), "session.idle") as streams:
                if self._random.random() < 0.3:
                    for stream in streams:
                        assert isinstance(stream.transport, asyncio.Transport)
                        stream.transport.pause_reading()
                await asyncio.sleep(self._random.random())


async def soak(watched: Watched, targets: list[Target], arguments: argparse.Namespace) -> list[Sample]:
    """The whole of it; a sample after every batch."""
    work = Work(targets, arguments.sessions, arguments.seed)
    await work.prepare()
    samples = []
    size = max(1, arguments.prompts // arguments.batches)
    for batch in range(1, arguments.batches + 1):
        async with listening(targets[0], PERMANENT_STREAMS, "session.idle"):
            await work.batch(size)
        if batch % 10 == 0:
            await work.dispose()
        await asyncio.sleep(0.2)  # connections that were closed are seen to be closed
        samples.append(await watched.sample(batch * size))
        print(samples[-1], flush=True)
    return samples


def growing(samples: list[Sample]) -> list[str]:
    """What grew, on average, between the two halves of what follows the warm-up."""
    rest = samples[int(len(samples) * WARM_UP) :]
    first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    found = []
    for name, absolute, part in MAY_MOVE:
        before, after = (mean(getattr(sample, name) for sample in half) for half in (first, second))
        if after - before > max(absolute, part * before):
            found.append(f"{name}: {before:,.1f} -> {after:,.1f}")
    return found


# --- the stage ----------------------------------------------------------------------------------------------------


@contextmanager
def process(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[int]:
    """A child; its pid. Stopped on exit."""
    with subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL) as child:
        try:
            yield child.pid
        finally:
            child.terminate()


def project(path: Path, model_port: int) -> str:
    """A repository whose only model is ours, and takes histories of any length."""
    settings = config(model_port, small_model="scripted/m1")
    settings["provider"]["scripted"]["models"]["m1"]["limit"]["context"] = 10_000_000
    make_project(path, settings)
    return str(path)


async def until_ready(target: Target) -> None:
    """Wait until the server answers."""
    async with asyncio.timeout(START_SECONDS):
        while not await answers(target, "/global/health", 2):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


def run(arguments: argparse.Namespace) -> list[Sample]:
    """Start model and server in a home of their own and soak the server."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model_port, port = free_port(), free_port()
        directories = [project(root / f"project{number}", model_port) for number in range(DIRECTORIES)]
        targets = [Target(port, directory) for directory in directories]
        stack.enter_context(process(sys.executable, "-m", "bench.model", str(model_port)))
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            PROBE_FILE: str(root / "tasks"),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        command = (sys.executable, "-m", "bench.soak", "--serve", str(port))
        pid = stack.enter_context(process(*command, env=variables, cwd=Path(directories[0])))

        async def main() -> list[Sample]:
            await until_ready(targets[0])
            database = root / ".local/share/opencode/opencode-server.db"
            return await soak(Watched(pid, root / "tasks", database, model_port), targets, arguments)

        return asyncio.run(main())


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="directory for soak.svg; without it nothing is drawn")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return 0
    samples = run(arguments)
    found = growing(samples)
    if arguments.out:
        (arguments.out / "soak.svg").write_text(chart([asdict(sample) for sample in samples]))
    print("\n".join(["Something grows:", *found]) if found else "Nothing grows.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
