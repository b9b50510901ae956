"""Asks on their own: what restarts, broken disks and absent clients do to them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, PermissionID, SessionID
from opencode.core.rejection import Unanswered, UnansweredFailure
from opencode.event import asks as asks_module
from opencode.event.asks import Ask, AskKind, Asks, Settlement
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import EventScope
from opencode.event.unattended import Unattended
from opencode.permission.schema import PermissionAsked, PermissionReplied, PermissionReply, PermissionRequest
from opencode.storage.database import Database, open_database
from opencode.storage.errors import StorageReadOnlyError

SESSION = SessionID("ses_1")
NOW = Unattended("deny", 0)
Permissions = Asks[PermissionRequest, PermissionReply]


def request(id: str = "per_1") -> PermissionRequest:
    return PermissionRequest(
        id=PermissionID(id), session_id=SESSION, permission="bash", patterns=["ls"], metadata={}, always=[]
    )


def asked(request: PermissionRequest) -> PermissionAsked:
    return PermissionAsked(
        id=request.id, session_id=SESSION, permission="bash", patterns=["ls"], metadata={}, always=[]
    )


def replied(request: PermissionRequest) -> PermissionReplied:
    return PermissionReplied(session_id=SESSION, request_id=request.id, reply="reject")


class World:
    """Asks on a database, and the bus that clients listen to."""

    def __init__(self, database: Database, bus: EventBus, unattended: Unattended) -> None:
        self.database = database
        self.bus = bus
        self.given_up: list[str] = []
        events = bus.scoped(EventScope(directory="/project"))
        kind = AskKind("permission_request", PermissionRequest, asked, replied)
        self.asks: Permissions = Asks(database, events, SystemClock(), "/project", kind, unattended)
        self.unattended = unattended

    async def give_up(self, due: Sequence[Ask[PermissionRequest, PermissionReply]]) -> None:
        refusal = self.unattended.refusal("Rejected")
        await self.asks.settle([Settlement(ask, replied(ask.request), refusal) for ask in due])
        self.given_up += [ask.request.id for ask in due]

    def rows(self) -> int:
        return len(self.database.read("SELECT 1 FROM permission_request"))


@asynccontextmanager
async def opened(path: Path, unattended: Unattended, *, expires: bool = True) -> AsyncIterator[World]:
    clock = SystemClock()
    ids = IdGenerator(clock)
    async with open_database(path / "test.db") as database:
        bus = EventBus(await open_event_log(database, clock), ids, clock)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                world = World(database, bus, unattended)
                await world.asks.restore()
                if expires:
                    tasks.start_soon(world.asks.expire, world.give_up)
                yield world
                tasks.cancel_scope.cancel()


async def test_a_request_that_nobody_can_answer_is_given_up(tmp_path: Path) -> None:
    async with opened(tmp_path, NOW) as world:
        with pytest.raises(Unanswered, match="nobody was connected who could answer, for 0 seconds"):
            await world.asks.wait(request())
        assert (world.given_up, world.rows()) == (["per_1"], 0)


async def test_what_a_failure_is_depends_on_the_policy() -> None:
    assert isinstance(Unattended("fail", 1.5).refusal("Rejected"), UnansweredFailure)
    assert "for 1.5 seconds" in str(Unattended("deny", 1.5).refusal("Rejected"))


async def test_what_the_database_refuses_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asks_module, "RETRY_SECONDS", 0.01)
    tried = 0
    async with opened(tmp_path, NOW, expires=False) as world:

        async def give_up(due: Sequence[Ask[PermissionRequest, PermissionReply]]) -> None:
            nonlocal tried
            tried += 1
            world.database.read(f"PRAGMA query_only = {'ON' if tried < 3 else 'OFF'}")
            await world.give_up(due)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.asks.expire, give_up)
            with pytest.raises(Unanswered):
                await world.asks.wait(request())
            tasks.cancel_scope.cancel()
    assert tried == 3


async def test_a_request_that_cannot_be_stored_is_not_asked(tmp_path: Path) -> None:
    async with opened(tmp_path, Unattended()) as world:
        world.database.read("PRAGMA query_only = ON")
        with pytest.raises(StorageReadOnlyError):
            await world.asks.wait(request())
        world.database.read("PRAGMA query_only = OFF")
        assert world.rows() == 0


async def test_a_request_of_an_earlier_process_is_offered_again_with_a_new_deadline(tmp_path: Path) -> None:
    async with opened(tmp_path, Unattended()) as world:
        with anyio.CancelScope() as scope:

            async def die() -> None:
                while not world.rows():
                    await anyio.lowlevel.checkpoint()
                await world.database.write(
                    lambda tx: tx.execute("INSERT INTO permission_request SELECT 'per_2', session_id, directory,"
                    " created_ms, replace(CAST(record AS TEXT), 'per_1', 'per_2') FROM permission_request")
                )  # fmt: skip
                scope.cancel()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(die)
                await world.asks.wait(request())
    async with opened(tmp_path, Unattended("deny", 3600)) as world:
        (left,) = world.asks.waiting()
        assert (left.request.id, left.is_orphan, left.deadline_ms is not None) == ("per_2", True, True)


async def test_deadlines_stand_still_while_a_stream_is_open(tmp_path: Path) -> None:
    async with opened(tmp_path, Unattended("deny", 3600)) as world, anyio.create_task_group() as tasks:
        tasks.start_soon(world.asks.wait, request())
        while not world.rows():
            await anyio.lowlevel.checkpoint()
        (ask,) = world.asks.waiting()
        first = ask.deadline_ms
        async with world.bus.subscribe("/project"):
            during = ask.deadline_ms
        assert first is not None and during is None and ask.deadline_ms is not None
        tasks.cancel_scope.cancel()


async def test_a_request_is_offered_only_once_it_is_stored(tmp_path: Path) -> None:
    """Whoever has seen it must find it again after a crash."""
    async with opened(tmp_path, Unattended()) as world, anyio.create_task_group() as tasks:
        world.database._writer.hold()
        tasks.start_soon(world.asks.wait, request())
        await anyio.wait_all_tasks_blocked()
        offered = world.asks.waiting()
        world.database._writer.release()
        assert offered == []
        while not world.asks.waiting():
            await world.database.write(lambda tx: None)
        assert world.rows() == 1
        tasks.cancel_scope.cancel()


async def test_a_request_that_cannot_be_stored_is_not_offered(tmp_path: Path) -> None:
    async with opened(tmp_path, Unattended()) as world:
        world.database.read("PRAGMA query_only = ON")
        with pytest.raises(StorageReadOnlyError):
            await world.asks.wait(request())
        assert world.asks.waiting() == []
        world.database.read("PRAGMA query_only = OFF")
