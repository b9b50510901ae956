"""How much is tried: short by default; ``make crash`` and ``make crash-long`` set the environment for more."""

import os

import pytest

WORLDS = int(os.environ.get("CRASH_WORLDS", "2"))
KILLS = int(os.environ.get("CRASH_KILLS", "15"))
SECONDS = float(os.environ.get("CRASH_SECONDS", "3"))
PREFIX = os.environ.get("CRASH_PREFIX", "world")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        given = os.environ.get("CRASH_SEED")
        metafunc.parametrize("seed", [given] if given else [f"{PREFIX}{number}" for number in range(WORLDS)])


@pytest.fixture
def kills() -> int:
    """How often each world's server is killed."""
    return KILLS


@pytest.fixture
def writing_seconds() -> float:
    """How long many clients write at once."""
    return SECONDS
