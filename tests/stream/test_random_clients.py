"""Clients that are cut, slowed and sent away at random always end up knowing what the server knows."""

from pathlib import Path

import pytest

from tests.stream.run import run


@pytest.mark.parametrize("seed", [1, 2])
async def test_clients_with_faults_know_what_the_server_knows_after_it_was_restarted(tmp_path: Path, seed: int) -> None:
    outcome = await run(tmp_path, seed, events=500, actions_per_life=25)
    assert outcome.connections > 10
