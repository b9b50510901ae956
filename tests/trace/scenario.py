"""Scenarios: a scripted model in; exchanges, the whole event log, stored records and the model's requests out."""

import inspect
import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from opencode.loop import failures
from tests.support.scripted_model.script import Turn
from tests.support.scripted_model.server import RecordedRequest
from tests.trace.golden import compare
from tests.trace.normal import Normaliser
from tests.trace.summaries import summaries_last
from tests.trace.world import World, normaliser, open_world

RETRY_MS = 20
"""Stands in for the pause before a failed call is repeated."""

LAST = float("inf")

Acts = Callable[[World], Awaitable[None]]
Test = Callable[[Path], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """What is set up, what the model answers, and what clients do."""

    name: str
    acts: Acts
    script: tuple[Turn | str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    shows: frozenset[str] = frozenset()
    """What else the model's requests show: their ``system`` texts, the names of their ``tools``."""

    async def run(self, root: Path) -> None:
        """Play the scenario on a server of its own and compare its trace with the golden file."""
        with patch.object(failures, "BASE_DELAY_MS", RETRY_MS):
            trace, normal = await self._played(root)
        # Ids count up in the order in which the events tell of them.
        compared = {"events": normal(trace["events"])}
        compare(self.name, {section: compared.get(section) or normal(items) for section, items in trace.items()})

    async def _played(self, root: Path) -> tuple[dict[str, list[Any]], Normaliser]:
        async with open_world(root, self.config, self.files, self.environ) as world:
            world.model.push(*self.script)
            await self.acts(world)
            await world.rest()
            return {
                "exchanges": [exchange.record for exchange in world.exchanges],
                "events": [_without_id(event) for event in comparable(world.events)],
                "stored": await world.stored(),
                "model": [self._sent(request) for request in world.model.requests],
            }, normaliser(world, root)

    def _sent(self, request: RecordedRequest) -> dict[str, Any]:
        """The part of a request to the model that behaviour shows in; tools by name."""
        body = dict(request.body)
        if "system" not in self.shows:
            body.pop("system", None)
        messages = [m for m in body.pop("messages") if m["role"] != "system" or "system" in self.shows]
        tools = [tool.get("function", tool)["name"] for tool in body.pop("tools", [])]
        shown = {"tools": tools} if "tools" in self.shows else {}
        return {
            "kind": "title" if request.is_title else "turn",
            "messages": messages,
            **shown,
            **body,
            "outcome": request.outcome,
        }


def scenario(
    *script: Turn | str,
    config: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    shows: Collection[str] = (),
) -> Callable[[Acts], Test]:
    """Make a test of the acts: the model answers from ``script``, the trace must be the golden one."""

    def decorate(acts: Acts) -> Test:
        folder = Path(inspect.getfile(acts)).stem.removeprefix("test_")
        played = Scenario(
            f"{folder}/{acts.__name__.removeprefix('test_')}",
            acts,
            script,
            config or {},
            files or {},
            environ or {},
            frozenset(shows),
        )

        async def test(tmp_path: Path) -> None:
            await played.run(tmp_path)

        test.__name__, test.__doc__, test.__module__ = acts.__name__, acts.__doc__, acts.__module__
        return test

    return decorate


def comparable(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without what differs from run to run."""
    return in_order_of_calls(summaries_last(without_progress(events)))


def without_progress(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without what depends on the pace: repeated news of running tools, heartbeats."""
    seen: set[str] = set()
    kept = []
    for event in events:
        part = event["properties"].get("part", {})
        if event["type"] == "server.heartbeat":
            continue
        if part.get("type") == "tool" and part["state"]["status"] == "running":
            if part["id"] in seen:
                continue
            seen.add(part["id"])
        kept.append(event)
    return kept


def in_order_of_calls(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with the news of calls that run side by side sorted by call, and their asks after them."""
    calls: dict[str, int] = {}

    def place(event: dict[str, Any]) -> float:
        part = event["properties"].get("part", {})
        return calls.setdefault(part["id"], len(calls)) if part.get("type") == "tool" else LAST

    runs = itertools.groupby(events, lambda event: place(event) < LAST or event["type"] == "permission.asked")
    return [event for is_of_calls, run in runs for event in (sorted(run, key=place) if is_of_calls else run)]


def _without_id(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "id"}
