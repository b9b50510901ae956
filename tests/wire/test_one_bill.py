"""What the same answer costs, whichever wire it comes over: through the server, to the message and the session."""

from pathlib import Path

from tests.support.scripted_model.script import Tokens, turn
from tests.support.wires import BEDROCK, WIRES
from tests.trace.world import open_world

LIMIT = {"context": 1_000_000, "output": 8_000}
COST = {
    "input": 1,
    "output": 10,
    "cache_read": 0.1,
    "cache_write": 2,
    "context_over_200k": {"input": 2, "output": 20, "cache_read": 0.2, "cache_write": 4},
}
SMALL = Tokens(input=150_000, output=1_000, cached=50_000, reasoning=400)
LARGE = Tokens(input=250_000, output=1_000, cached=50_000, reasoning=400)
SMALL_USD = (100_000 * 1 + 1_000 * 10 + 50_000 * 0.1) / 1e6
LARGE_USD = (200_000 * 2 + 1_000 * 20 + 50_000 * 0.2) / 1e6
"""The size is what went in with what was cached; reasoning is charged once, as output."""


async def test_an_answer_costs_the_same_over_every_wire(tmp_path: Path) -> None:
    model = {"limit": LIMIT, "cost": COST, "tool_call": True}
    providers = {
        f"over{number}": {"npm": npm, "options": {"baseURL": "@MODEL@", "apiKey": "k"}, "models": {"m": model}}
        for number, npm in enumerate((*WIRES, BEDROCK))
    }
    async with open_world(tmp_path, {"provider": providers}, {}, {}, patience_seconds=60) as world:
        for provider in providers:
            world.model.push(turn("Small.", tokens=SMALL), turn("Large.", tokens=LARGE))
            session = await world.session()
            over = {"model": {"providerID": provider, "modelID": "m"}}
            small = (await world.prompt(session, "Small", **over))["info"]
            large = (await world.prompt(session, "Large", **over))["info"]
            assert (small["cost"], large["cost"]) == (SMALL_USD, LARGE_USD), provider
            for info, size in ((small, 100_000), (large, 200_000)):
                tokens = info["tokens"]
                assert (tokens["input"], tokens["cache"]) == (size, {"read": 50_000, "write": 0})
                assert tokens["output"] + tokens["reasoning"] == 1_000
            total = await world.get(f"/session/{session}")
            assert total["cost"] == SMALL_USD + LARGE_USD
            assert (total["tokens"]["input"], total["tokens"]["cache"]["read"]) == (300_000, 100_000)
