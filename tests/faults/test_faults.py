"""Every fault, over every wire, through the whole server: it ends in its state, and the session goes on.

``make faults`` tries all of them over all wires; the suite leaves out some wires where they make no difference.
"""

import math
import os
from pathlib import Path
from typing import Any

import pytest

from opencode.loop import failures
from tests.faults.cases import FAILURES, FAULTS, LIMITS, Fault
from tests.support.scripted_config import says
from tests.trace.world import World, open_world

Json = dict[str, Any]

PATIENCE_SECONDS = 60
NEXT = "The next prompt"
COST = {"input": 1, "output": 2}
EVERY_WIRE = bool(os.environ.get("FAULTS_EVERY_WIRE"))
HTTP_ALONE = [*LIMITS, *FAILURES]
"""Faults that come before any wire's own stream: the suite tries each over one wire, in turn."""


def wires(name: str, fault: Fault) -> tuple[str, ...]:
    """The wires that a fault is tried over."""
    if EVERY_WIRE or name not in HTTP_ALONE:
        return fault.wires
    return (fault.wires[HTTP_ALONE.index(name) % len(fault.wires)],)


CASES = [
    pytest.param(fault, npm, id=f"{name}-{npm.rpartition('/')[2]}")
    for name, fault in FAULTS.items()
    for npm in wires(name, fault)
]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "BASE_DELAY_MS", 4)
    monkeypatch.setattr(failures, "JITTER", 0)


@pytest.mark.parametrize(("fault", "npm"), CASES)
async def test_a_fault_ends_in_its_state_and_the_session_goes_on(tmp_path: Path, fault: Fault, npm: str) -> None:
    provider = {"npm": npm, "options": dict(fault.options), "models": {"m1": {"cost": COST}}}
    config = {
        "provider": {"scripted": provider},
        "permission": "allow",
        "retry": {"attempts": fault.retries},
        "compaction": {"auto": False},
    }
    async with open_world(tmp_path, config, {}, {}, patience_seconds=PATIENCE_SECONDS) as world:
        world.model.push(*fault.turns)
        session = await world.session()
        answer = await world.prompt(session, "Try")
        assert len(world.model.turns) == fault.calls
        check_message(answer, fault)
        errors = [event for event in world.events if event["type"] == "session.error"]
        assert len(errors) == (0 if fault.error is None else 1)
        assert not (world.directory / "runs").exists()
        await check_rest(world, session)


def check_message(answer: Json, fault: Fault) -> None:
    """Complete, with its error and everything that was said; nothing in it is open, no figure is none."""
    info, parts = answer["info"], answer["parts"]
    error = info.get("error")
    assert (error and error["name"]) == fault.error
    if error is not None:
        assert fault.says in error["data"]["message"]
        assert fault.status in (None, error["data"].get("statusCode"))
    assert "completed" in info["time"]
    texts = [part for part in parts if part["type"] == "text"]
    assert "".join(part["text"] for part in texts) == fault.text
    assert all("end" in part["time"] for part in texts)
    assert {part["state"]["status"] for part in parts if part["type"] == "tool"} <= {"completed", "error"}
    tokens = info["tokens"]
    figures = [info["cost"], tokens["input"], tokens["output"], tokens["reasoning"], *tokens["cache"].values()]
    assert all(math.isfinite(figure) and figure >= 0 for figure in figures)


async def check_rest(world: World, session: str) -> None:
    """The session is idle, waits for nothing, and answers the next prompt."""
    assert await world.get("/session/status") == {}
    assert (await world.get(f"/session/{session}/why"))["waits"] == []
    world.model.push_for(says(NEXT), "Here.")
    answer = await world.prompt(session, NEXT)
    assert [part["text"] for part in answer["parts"] if part["type"] == "text"] == ["Here."]
