"""Abort means stopped: every process gone, not a word after idle, and the next prompt is taken at once.

``make aborts`` holds each case to its limit and prints what was measured; the suite, which may run on a busy machine,
allows ten times as much.
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.abort.cases import CASES, DAEMON, Scene
from tests.abort.watch import Processes
from tests.support.scripted_config import says
from tests.trace.world import open_world

Json = dict[str, Any]

IS_MEASURED = bool(os.environ.get("ABORT_MEASURE"))
PATIENCE_SECONDS = 60
NEXT = "The next prompt"


@pytest.mark.parametrize("name", CASES)
async def test_an_aborted_session_has_stopped_and_goes_on(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    pids = tmp_path / "pids"
    files = {"daemon.sh": DAEMON.command}
    config = {"permission": "allow", **case.config}
    environ = {"PIDS": str(pids)}
    async with open_world(tmp_path, config, files, environ, patience_seconds=PATIENCE_SECONDS) as world:
        processes = Processes(pids, world.directory)
        try:
            scene = Scene(world, await world.session(), processes)
            await case.begin(scene)
            await check(scene, name, case.limit_seconds * (1 if IS_MEASURED else 10))
        finally:
            processes.kill()


async def check(scene: Scene, name: str, limit_seconds: float) -> None:
    """Abort, and see what is left; then prompt again."""
    world, history, began = scene.world, list(scene.world.events), time.perf_counter()
    await world.abort(scene.session)
    answered = time.perf_counter() - began
    more, left = await scene.processes.gone(limit_seconds)
    seconds = answered + more
    idle = await world.until(lambda event: is_idle(event, scene.session) and event not in history)
    told = world.events.index(idle) + 1
    world.model.push_for(says(NEXT), "Here.")
    began = time.perf_counter()
    answer = await world.prompt(scene.session, NEXT)
    accepted = time.perf_counter() - began
    if IS_MEASURED:
        print(f"\n{name:60} answered {answered:.3f} s, gone {seconds:.3f} s, next prompt {accepted:.3f} s")
    assert left == []
    assert seconds < limit_seconds, f"everything was gone after {seconds:.2f} s, and the limit is {limit_seconds} s"
    assert [part["text"] for part in answer["parts"] if part["type"] == "text"] == ["Here."]
    aborted = {message_of(event) for event in world.events[:told]} - {None}
    assert [event for event in world.events[told:] if message_of(event) in aborted] == []
    assert await world.get("/session/status") == {}
    assert [await world.get("/permission"), await world.get("/question")] == [[], []]


def is_idle(event: Json, session: str) -> bool:
    return bool(event["type"] == "session.idle" and event["properties"]["sessionID"] == session)


def message_of(event: Json) -> Any:
    """The message that an event tells of; the summary of a person's message may be told again with the next turn."""
    properties = event["properties"]
    if event["type"] == "message.updated":
        return properties["info"]["id"] if properties["info"]["role"] == "assistant" else None
    return properties.get("messageID") or properties.get("part", {}).get("messageID")
