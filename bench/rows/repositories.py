"""Snapshots of a large repository, and taking back a turn that changed many files."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from bench.bench import Bench, Sample, World
from bench.client import RequestFailed, ask_json, connected
from bench.projects import MANY
from bench.rows.prompts import prompt
from bench.rows.reads import new_session

FILES = 20_000
CHANGED = 1_000


async def measure(bench: Bench, worlds: Sequence[World]) -> None:
    """The first prompt of a repository, which takes in all its files; prompts after one file changed; reverts."""
    files = bench.effort.of(FILES)
    for world in worlds:
        await ask_json(world.target("large-repository", many=files), "GET", "/session")
    await bench.rounds("snapshot_first", worlds, prompted, warm_up=False, at_most=1)
    await bench.rounds("snapshot_next", worlds, prompted_after_a_change)
    sessions = {world.server.peer.name: await session_that_changed_many(bench, world) for world in worlds}

    async def revert(world: World) -> Sample:
        return await taken_back(world, sessions[world.server.peer.name])

    await bench.rounds("revert_1000", worlds, revert, warm_up=False, at_most=1)


async def prompted(world: World) -> Sample:
    """One prompt with one text step in a new session."""
    target = world.target("large-repository")
    session = await new_session(target)
    async with connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        await prompt(connection, target, session, "text")
        return Sample(time.perf_counter() - began, world.server.cpu() - cpu)


async def prompted_after_a_change(world: World) -> Sample:
    """The same, after one file was written."""
    path = _first_file(world.target("large-repository").directory)
    path.write_text(f"{time.time_ns()}\n")
    return await prompted(world)


async def session_that_changed_many(bench: Bench, world: World) -> tuple[str, str]:
    """A session whose only turn changed a thousand files, and the message that asked for it."""
    target = world.target("many-changes", many=bench.effort.of(CHANGED))
    session = await new_session(target)
    async with connected(target.port) as (connection,):
        await prompt(connection, target, session, "change")
        messages = json.loads(await connection.ask(target.request("GET", f"/session/{session}/message")))
    return session, messages[0]["info"]["id"]


async def taken_back(world: World, changed: tuple[str, str]) -> Sample:
    """Revert to before the turn; the way forward again does not count. Raises ``RequestFailed`` when files differ."""
    target, (session, message) = world.target("many-changes"), changed
    file = _first_file(target.directory)
    after = file.read_text()
    async with connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        await connection.ask(target.request("POST", f"/session/{session}/revert", {"messageID": message}))
        sample = Sample(time.perf_counter() - began, world.server.cpu() - cpu)
        before = file.read_text()
        await connection.ask(target.request("POST", f"/session/{session}/unrevert"))
    forward = file.read_text()
    if not after.startswith(before) or before == after or forward != after:
        raise RequestFailed(f"{world.server.peer.name}: a file was {after!r}, taken back {before!r}, then {forward!r}")
    return sample


def _first_file(directory: str) -> Path:
    return Path(directory) / MANY / "000" / "00000.txt"
