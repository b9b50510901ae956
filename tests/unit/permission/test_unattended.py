"""Permissions that nobody is there to give."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import IdGenerator, SessionID
from opencode.core.rejection import Rejected, Unanswered
from opencode.event.unattended import Unattended
from opencode.permission.schema import PermissionReplied, PermissionRule
from opencode.permission.service import PermissionService
from tests.support.event_world import DIRECTORY, World, open_world

S, OTHER = SessionID("ses_1"), SessionID("ses_2")
REFUSAL = (
    "The server rejected permission to use this specific tool call: nobody was connected who could answer, for 0.01"
    " seconds. Go on without it, or say what is left to do and why."
)


class Place:
    """A process that asks, with a policy for the time when nobody listens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.replies: list[PermissionReplied] = []
        self.failed: list[tuple[str, str]] = []
        self.ends: dict[str, Rejected | None] = {}
        world.events.subscribe_function(PermissionReplied, self.replies.append)
        self.service = PermissionService(
            world.database, world.events, IdGenerator(world.clock), world.clock, DIRECTORY, self._replied,
            unattended=Unattended("deny", 0.01), on_orphan_failed=self._failed,
        )  # fmt: skip

    async def ask(self, pattern: str, session: SessionID = S, **fields: Any) -> None:
        try:
            await self.service.ask(
                session_id=session, permission="bash", patterns=[pattern], always=[], metadata={}, tool=None,
                rulesets=fields.pop("rulesets", []), **fields,
            )  # fmt: skip
        except Rejected as refusal:
            self.ends[pattern] = refusal
        else:
            self.ends[pattern] = None

    async def waits_for(self, count: int) -> None:
        with anyio.fail_after(10):
            while len(self.service.pending()) != count:
                await anyio.lowlevel.checkpoint()

    async def _replied(self, *_: object) -> None:
        pytest.fail("nobody replied")

    async def _failed(self, session_id: SessionID, refusal: Rejected) -> None:
        self.failed.append((session_id, str(refusal)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "opencode-server.db") as world:
        yield world


async def test_an_ask_that_nobody_could_answer_is_refused_by_the_server_and_told(world: World) -> None:
    place = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.service.expire)
        tasks.start_soon(place.ask, "ls")
        await place.waits_for(1)
        [waiting] = place.service.waits()
        world.clock.now += 10
        with anyio.fail_after(10):
            while "ls" not in place.ends:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    refusal = place.ends["ls"]
    assert (type(refusal), str(refusal)) == (Unanswered, REFUSAL)
    assert place.replies == [PermissionReplied(session_id=S, request_id=waiting.request.id, reply="reject")]
    assert place.failed == []


async def test_an_ask_of_an_earlier_process_fails_its_session(world: World) -> None:
    before = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(before.ask, "ls", OTHER)
        await before.waits_for(1)
        place = Place(world)
        await place.service.restore()
        tasks.start_soon(place.service.expire)
        world.clock.now += 10
        with anyio.fail_after(10):
            while not place.failed:
                await anyio.lowlevel.checkpoint()
        assert (place.failed, place.service.pending()) == ([(OTHER, REFUSAL)], [])
        tasks.cancel_scope.cancel()


async def test_where_only_rules_may_decide_nobody_is_asked(world: World) -> None:
    place = Place(world)
    with anyio.fail_after(5):
        await place.ask("ls", rules_only=True)
        deny = [PermissionRule(permission="bash", pattern="rm", action="deny")]
        await place.ask("rm", rules_only=True, rulesets=[deny])
    assert place.ends["ls"] is None
    assert isinstance(place.ends["rm"], Rejected)


async def test_dropping_a_session_leaves_the_asks_of_others(world: World) -> None:
    place = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.ask, "ls")
        tasks.start_soon(place.ask, "pwd", OTHER)
        await place.waits_for(2)
        await place.service.drop_session(S)
        assert [request.session_id for request in place.service.pending()] == [OTHER]
        assert [ask.request.session_id for ask in place.service.waits(OTHER)] == [OTHER]
        tasks.cancel_scope.cancel()
