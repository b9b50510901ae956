"""When the snapshots are cleaned, and by which clock their age is told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.instance.assembly import open_shared
from opencode.instance.ground import Ground
from opencode.instance.open import open_ground
from opencode.instance.upkeep import STORE_AGE_MS, let_go_of_old_snapshots
from tests.support.later_clock import LaterClock

DAY_MS = 24 * 3600 * 1000


class Enough(Exception):
    """Ends what would go on without end."""


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
async def ground(tmp_path: Path, clock: LaterClock) -> AsyncIterator[Ground]:
    """A repository whose snapshots are kept by that clock."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "a").write_text("1\n")
    await anyio.run_process(["git", "init", "--quiet"], cwd=project)
    variables = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    async with AsyncExitStack() as stack:
        paths = Paths.from_environ(variables)
        shared = await stack.enter_async_context(open_shared(Environment(variables), paths, clock))
        yield await open_ground(project, shared, stack)


async def upkeep(ground: Ground, *between: Callable[[], Awaitable[None]]) -> list[float]:
    """Run it; each of its pauses is filled with one of the calls. How long the pauses would have been, in seconds."""
    pauses: list[float] = []
    left = list(between)

    async def pause(seconds: float) -> None:
        if not left:
            raise Enough
        pauses.append(seconds)
        await left.pop(0)()

    with anyio.fail_after(60), pytest.raises(Enough):
        await let_go_of_old_snapshots(ground, pause)
    return pauses


async def test_snapshots_are_cleaned_after_a_minute_and_every_hour_and_go_after_a_week(
    ground: Ground, clock: LaterClock
) -> None:
    kept: list[int] = []

    async def look(later_ms: int = 0) -> None:
        kept.append((await ground.snapshots.usage()).snapshots)
        clock.added_ms += later_ms

    async def take() -> None:
        await ground.snapshots.track()
        await look()

    pauses = await upkeep(ground, take, lambda: look(6 * DAY_MS), lambda: look(2 * DAY_MS), look)
    assert pauses == [60, 3600, 3600, 3600]
    assert kept == [1, 1, 1, 0]


async def test_what_another_directory_left_goes_after_thirty_days(ground: Ground, clock: LaterClock) -> None:
    store = ground.shared.paths.data / "snapshot/other/0123456789abcdef"
    store.mkdir(parents=True)
    (store / "opencode-server").write_text("")
    there: list[bool] = []

    async def look(later_ms: int = 0) -> None:
        there.append(store.exists())
        clock.added_ms += later_ms

    await upkeep(ground, look, lambda: look(STORE_AGE_MS + DAY_MS), look)
    assert there == [True, True, False]
