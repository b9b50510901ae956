"""How many directories stay open, and what becomes of one that fails."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.instance.assembly import open_shared
from opencode.instance.instance import Instance
from opencode.instance.registry import UNUSED_MS, open_registry
from opencode.instance.shared import Shared
from opencode.session.inputs import CreateSession, PromptInput, ShellInput
from opencode.session.schema import TextPartInput
from tests.support.later_clock import LaterClock

WAITS = "until [ -e go ]; do sleep 0.02; done"


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
async def shared(tmp_path: Path, clock: LaterClock) -> AsyncIterator[Shared]:
    """A server that keeps two directories open."""
    variables = {
        "HOME": str(tmp_path / "home"),
        "PATH": "/usr/bin:/bin",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_MAX_DIRECTORIES": "2",
        "OPENCODE_CONFIG_CONTENT": '{"provider": {"openai": {"options": {"oauth": {"redirectPort": 0}}}}}',
    }
    with anyio.fail_after(60):
        async with open_shared(Environment(variables), Paths.from_environ(variables), clock) as shared:
            yield shared


class Place:
    """Directories by name."""

    def __init__(self, root: Path, shared: Shared) -> None:
        self._root = root
        self._registry = shared.registry

    def path(self, name: str) -> Path:
        return self._root / name

    async def open(self, name: str) -> Instance:
        self.path(name).mkdir(exist_ok=True)
        return await self._registry.open(str(self.path(name)))

    def is_open(self, name: str) -> bool:
        """Asking counts as no use."""
        return str(self.path(name)) in self._registry.open_directories()

    async def closes(self, name: str) -> None:
        """Wait until it is closed."""
        while self.is_open(name):
            await anyio.lowlevel.checkpoint()


@pytest.fixture
def place(tmp_path: Path, shared: Shared) -> Place:
    return Place(tmp_path, shared)


async def test_of_too_many_directories_the_one_unused_for_longest_is_closed_and_opened_again_when_wanted(
    place: Place, clock: LaterClock, shared: Shared
) -> None:
    first = await place.open("first")
    clock.added_ms += 1000
    await place.open("second")
    clock.added_ms += 1000
    assert shared.registry.get(str(place.path("first"))) is first
    clock.added_ms += UNUSED_MS
    await place.open("third")
    await place.closes("second")
    assert place.is_open("first")
    again = await place.open("second")
    await place.closes("first")
    assert again.directory == place.path("second")
    assert place.is_open("third")


async def test_a_directory_stays_open_for_some_minutes_however_many_there_are(
    place: Place, clock: LaterClock, shared: Shared
) -> None:
    for number in range(5):
        await place.open(str(number))
    assert len(shared.registry.open_directories()) == 5
    clock.added_ms += UNUSED_MS
    await place.open("last")
    while len(shared.registry.open_directories()) > 2:
        await anyio.lowlevel.checkpoint()
    assert place.is_open("last")


@asynccontextmanager
async def shell_command(instance: Instance) -> AsyncIterator[None]:
    session = await instance.sessions.create(CreateSession())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(instance.prompts.shell, session.id, ShellInput(command=WAITS))
        while not instance.prompts.statuses():
            await anyio.lowlevel.checkpoint()
        yield
        (instance.directory / "go").touch()


@asynccontextmanager
async def command_in_the_background(instance: Instance) -> AsyncIterator[None]:
    session = await instance.sessions.create(CreateSession())
    await instance.prompts.shell(session.id, ShellInput(command=f"({WAITS}; touch gone) >/dev/null 2>&1 &"))
    yield
    (instance.directory / "go").touch()
    while not (instance.directory / "gone").exists():
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def held_prompt(instance: Instance) -> AsyncIterator[None]:
    """One that waits for its turn behind a command that was stopped."""
    session = await instance.sessions.create(CreateSession())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(instance.prompts.shell, session.id, ShellInput(command=WAITS))
        while not instance.prompts.statuses():
            await anyio.lowlevel.checkpoint()
        queued = PromptInput(parts=[TextPartInput(text="Later")], delivery="queue")
        await instance.prompts.prompt_async(session.id, queued)
        await instance.prompts.abort(session.id)
    assert instance.prompts.turns.waiting(session.id)
    yield


@asynccontextmanager
async def question(instance: Instance) -> AsyncIterator[None]:
    session = await instance.sessions.create(CreateSession())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(instance.questions.ask, session.id, [])
        while not instance.questions.pending():
            await anyio.lowlevel.checkpoint()
        yield
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def permission(instance: Instance) -> AsyncIterator[None]:
    session = await instance.sessions.create(CreateSession())
    wanted: dict[str, Any] = {"permission": "bash", "patterns": ["x"], "always": [], "metadata": {}, "tool": None}
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            await instance.permissions.ask(session_id=session.id, rulesets=[], **wanted)

        tasks.start_soon(ask)
        while not instance.permissions.pending():
            await anyio.lowlevel.checkpoint()
        yield
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def sign_in(instance: Instance) -> AsyncIterator[None]:
    """One that waits for the browser to come back."""
    await instance.sign_ins.authorize("openai", 0, {})
    yield


@pytest.mark.parametrize(
    "occupied",
    [shell_command, command_in_the_background, held_prompt, question, permission, sign_in],
    ids=lambda work: work.__name__,
)
async def test_a_directory_in_which_something_runs_or_waits_is_not_closed(
    place: Place, clock: LaterClock, occupied: Any
) -> None:
    busy = await place.open("busy")
    async with occupied(busy):
        clock.added_ms += 1000
        await place.open("second")
        clock.added_ms += UNUSED_MS
        await place.open("third")
        await place.closes("second")
        assert place.is_open("busy")


async def test_a_directory_that_somebody_watches_is_not_closed(place: Place, clock: LaterClock, shared: Shared) -> None:
    await place.open("watched")
    clock.added_ms += 1000
    async with shared.bus.subscribe(str(place.path("watched"))), shared.bus.subscribe(None):
        await place.open("second")
        clock.added_ms += UNUSED_MS
        await place.open("third")
        await place.closes("second")
        assert place.is_open("watched")


async def test_what_fails_in_an_open_directory_is_logged(
    shared: Shared, clock: LaterClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it: the requests have their instance."""

    @asynccontextmanager
    async def breaks(directory: Path) -> AsyncIterator[Any]:
        yield object()
        raise ValueError("broken")

    async with open_registry(breaks, shared.bus, clock) as registry:
        await registry.open("/somewhere")
        with caplog.at_level(logging.ERROR, logger="opencode"):
            await registry.dispose("/somewhere")
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == "a directory that was open has failed"
    assert registry.open_directories() == set()
