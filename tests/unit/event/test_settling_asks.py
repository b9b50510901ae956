"""How asks wait and end: rows, replies, refusals, and deadlines while nobody listens."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import SessionID
from opencode.core.rejection import Rejected, Unanswered, UnansweredFailure
from opencode.core.wire import UNSET, Wire, encode
from opencode.event.asks import Ask, AskKind, Asks, Settlement
from opencode.event.schema import Event
from opencode.event.unattended import AskDeadlineChanged, Unattended
from opencode.storage.database import Transaction
from opencode.storage.errors import StorageFullError, StorageReadOnlyError
from tests.support.event_world import DIRECTORY, NOW, World, open_world

SESSION, OTHER = SessionID("ses_1"), SessionID("ses_2")


class Wish(Wire):
    """A request."""

    id: str
    session_id: SessionID = SESSION
    text: str = "may I?"


class Wished(Event):
    """It waits."""

    type: ClassVar[str] = "test.wished"
    id: str


class Ended(Event):
    """It waits no longer."""

    type: ClassVar[str] = "test.ended"
    id: str
    how: str


KIND = AskKind(
    "permission_request", Wish, lambda wish: Wished(id=wish.id), lambda wish: Ended(id=wish.id, how="dismissed")
)


class Place:
    """Asks in a real database, what was told of them, and how they ended for who asked."""

    def __init__(self, world: World, unattended: Unattended) -> None:
        self.world = world
        self.asks: Asks[Wish, str] = Asks(
            world.database, world.events, world.clock, DIRECTORY, KIND, unattended
        )  # fmt: skip
        self.told: list[Event] = []
        self.ends: dict[str, str | Rejected] = {}
        for kind in (Wished, Ended, AskDeadlineChanged):
            world.events.subscribe_function(kind, self.told.append)

    async def wish(self, id: str, **fields: Any) -> None:
        """Ask, and note how it ends."""
        try:
            self.ends[id] = await self.asks.wait(Wish(id=id, **fields))
        except Rejected as refusal:
            self.ends[id] = refusal

    async def until(self, count: int) -> list[Ask[Wish, str]]:
        """Wait until that many asks wait."""
        with anyio.fail_after(10):
            while len(self.rows()) != count:
                await anyio.lowlevel.checkpoint()
        return self.asks.waiting()

    def rows(self) -> list[str]:
        return [row[0] for row in self.world.database.read("SELECT id FROM permission_request ORDER BY id")]

    def deadlines(self) -> list[object]:
        return [event.deadline for event in self.told if isinstance(event, AskDeadlineChanged)]


@asynccontextmanager
async def open_place(path: Path, unattended: Unattended | None = None) -> AsyncIterator[Place]:
    async with open_world(path / "opencode-server.db") as world:
        yield Place(world, unattended or Unattended())


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(tmp_path) as place:
        yield place


def replied(ask: Ask[Wish, str], reply: str) -> Settlement[Wish, str]:
    return Settlement(ask, Ended(id=ask.request.id, how=reply), reply=reply)


async def test_an_ask_waits_as_a_row_until_it_is_settled_and_who_asked_gets_the_reply(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [ask] = await place.until(1)
        assert (ask.request, ask.since_ms, ask.is_orphan) == (Wish(id="a"), NOW, False)
        assert place.asks.get("a") is ask
        await place.asks.settle([replied(ask, "yes")])
    assert (place.ends, place.rows(), place.asks.get("a")) == ({"a": "yes"}, [], None)
    assert place.told == [Wished(id="a"), Ended(id="a", how="yes")]


async def test_a_refusal_is_raised_to_who_asked(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [ask] = await place.until(1)
        refusal = Rejected("no")
        await place.asks.settle([Settlement(ask, Ended(id="a", how="no"), refusal)])
    assert place.ends == {"a": refusal}


async def test_an_ask_that_nobody_waits_for_any_more_is_dismissed(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        await place.until(1)
        tasks.cancel_scope.cancel()
    assert (place.rows(), place.told[-1]) == ([], Ended(id="a", how="dismissed"))


async def test_asks_are_given_oldest_first_and_by_session(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "b")
        await place.until(1)
        tasks.start_soon(lambda: place.wish("a", session_id=OTHER))
        await place.until(2)
        assert [ask.request.id for ask in place.asks.waiting()] == ["b", "a"]
        assert [ask.request.id for ask in place.asks.waiting(OTHER)] == ["a"]
        tasks.cancel_scope.cancel()


async def test_a_new_ask_takes_the_place_of_others_in_one_step(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [old] = await place.until(1)

        async def replace() -> None:
            await place.asks.wait(Wish(id="b"), replaces=[replied(old, "replaced")])

        tasks.start_soon(replace)
        with anyio.fail_after(10):
            while place.rows() != ["b"]:
                await anyio.lowlevel.checkpoint()
        assert place.told == [Wished(id="a"), Ended(id="a", how="replaced"), Wished(id="b")]
        tasks.cancel_scope.cancel()


async def test_a_decision_that_cannot_be_stored_decides_nothing_and_can_be_made_again(place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [ask] = await place.until(1)
        place.world.database.read("PRAGMA query_only = ON")
        with pytest.raises(StorageReadOnlyError):
            await place.asks.settle([replied(ask, "yes")])
        assert (place.asks.waiting(), place.ends) == ([ask], {})
        place.world.database.read("PRAGMA query_only = OFF")
        await place.asks.settle([replied(ask, "yes")])
    assert place.ends == {"a": "yes"}


async def test_what_is_kept_with_a_decision_is_stored_with_it_or_not_at_all(place: Place) -> None:
    def keep(tx: Transaction) -> None:
        tx.execute("INSERT INTO todo VALUES ('kept', '')")
        raise ValueError("no")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [ask] = await place.until(1)
        with pytest.raises(ValueError, match="no"):
            await place.asks.settle([replied(ask, "yes")], keep)
        assert (place.asks.get("a"), place.rows()) == (ask, ["a"])
        await place.asks.settle([replied(ask, "yes")], lambda tx: tx.execute("INSERT INTO todo VALUES ('kept', '')"))
    assert place.world.database.read("SELECT session_id FROM todo") == [("kept",)]
    await place.asks.settle([], keep)


async def test_asks_of_an_earlier_process_are_offered_again_in_order(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        rows = [(id, SESSION, DIRECTORY, since, encode(Wish(id=id))) for id, since in (("c", 2), ("a", 3), ("b", 2))]
        insert = "INSERT INTO permission_request (id, session_id, directory, created_ms, record) VALUES (?, ?, ?, ?, ?)"
        await place.world.database.write(lambda tx: tx.executemany(insert, rows))
        again = Place(place.world, Unattended())
        await again.asks.restore()
        waiting = again.asks.waiting()
        assert [(ask.request.id, ask.since_ms, ask.is_orphan) for ask in waiting] == [
            ("b", 2, True), ("c", 2, True), ("a", 3, True),
        ]  # fmt: skip
        elsewhere: Asks[Wish, str] = Asks(
            place.world.database, place.world.publisher("/elsewhere"), place.world.clock, "/elsewhere", KIND,
            Unattended(),
        )  # fmt: skip
        await elsewhere.restore()
        assert elsewhere.waiting() == []


# --- nobody there ----------------------------------------------------------------------------------------------------

DENY = Unattended("deny", after_seconds=0.02)


async def never(asks: Sequence[Ask[Wish, str]]) -> None:
    pytest.fail("nothing is due")


async def test_where_asks_may_wait_on_there_are_no_deadlines(place: Place) -> None:
    with anyio.fail_after(5):
        await place.asks.expire(never)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.wish, "a")
        [ask] = await place.until(1)
        assert (ask.deadline_ms, place.deadlines()) == (None, [])
        tasks.cancel_scope.cancel()


async def test_an_ask_has_a_deadline_only_while_nobody_listens(tmp_path: Path) -> None:
    async with open_place(tmp_path, Unattended("deny", after_seconds=100)) as place:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(place.asks.expire, never)
            tasks.start_soon(place.wish, "a")
            [ask] = await place.until(1)
            assert ask.deadline_ms == NOW + 100_000
            async with place.world.bus.subscribe(None):
                assert ask.deadline_ms is None
                place.world.clock.now += 7
            assert ask.deadline_ms == NOW + 100_007
            async with place.world.bus.subscribe("/elsewhere"):
                assert ask.deadline_ms == NOW + 100_007
            tasks.cancel_scope.cancel()
        assert place.deadlines() == [NOW + 100_000, UNSET, NOW + 100_007]


async def test_what_is_due_is_handed_over_and_what_is_not_waits_on(tmp_path: Path) -> None:
    async with open_place(tmp_path, DENY) as place:

        async def give_up(asks: Sequence[Ask[Wish, str]]) -> None:
            assert [ask.request.id for ask in asks] == ["a"]
            await place.asks.settle(
                [Settlement(ask, Ended(id=ask.request.id, how="late"), DENY.refusal("No")) for ask in asks]
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(place.asks.expire, give_up)
            tasks.start_soon(place.wish, "a")
            await place.until(1)
            place.world.clock.now += 10
            tasks.start_soon(place.wish, "b")
            await place.until(2)
            place.world.clock.now += 10
            [left] = await place.until(1)
            assert (left.request.id, left.deadline_ms) == ("b", NOW + 30)
            with anyio.fail_after(10):
                while "a" not in place.ends:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert isinstance(place.ends["a"], Unanswered)


async def test_an_end_that_cannot_be_stored_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.event.asks.RETRY_SECONDS", 0.01)
    async with open_place(tmp_path, DENY) as place:
        tries: list[int] = []

        async def give_up(asks: Sequence[Ask[Wish, str]]) -> None:
            tries.append(len(asks))
            if len(tries) < 3:
                raise StorageFullError("full")
            await place.asks.settle([replied(ask, "late") for ask in asks])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(place.asks.expire, give_up)
            tasks.start_soon(place.wish, "a")
            await place.until(1)
            place.world.clock.now += 20
            await place.until(0)
            tasks.cancel_scope.cancel()
        assert tries == [1, 1, 1]


def test_who_was_waited_for_is_told_to_the_model_or_ends_the_turn() -> None:
    nobody = "No answer: nobody was connected who could answer, for 1.5 seconds."
    told = Unattended("deny", 1.5).refusal("No answer")
    assert (type(told), told.stops_turn) == (Unanswered, False)
    assert str(told) == f"{nobody} Go on without it, or say what is left to do and why."
    ended = Unattended("fail", 1.5).refusal("No answer")
    assert (type(ended), ended.stops_turn, str(ended)) == (UnansweredFailure, True, nobody)
    assert Unattended("fail", 1.5).deadline_ms(10) == 1510
