from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.event_world import open_world
from tests.support.loop_world import LoopWorld


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[LoopWorld]:
    """A session with a prompt and an open answer."""
    async with open_world(tmp_path / "opencode-server.db") as world:
        place = LoopWorld(world, tmp_path)
        await place.begin()
        yield place
