"""A bus on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.event_world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "opencode-server.db") as opened:
        yield opened
