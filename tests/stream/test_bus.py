"""The bus with little memory: cursors at every edge of ring, log and buffer."""

from pathlib import Path

import pytest

from tests.stream.bus_world import simulate


@pytest.mark.parametrize("seed", [1, 2])
async def test_clients_of_a_bus_are_never_deceived(tmp_path: Path, seed: int) -> None:
    clients = await simulate(tmp_path / "opencode-server.db", seed, events=8_000, events_per_run=2_500)
    assert {reason for client in clients for reason in client.resyncs} <= {"too-old"}
