"""How much is tried: a few programs by default; ``make reverts`` plays 200."""

import os

import pytest

PROGRAMS = int(os.environ.get("REVERT_PROGRAMS", "8"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        given = os.environ.get("REVERT_SEED")
        metafunc.parametrize("seed", [int(given)] if given else range(PROGRAMS))
