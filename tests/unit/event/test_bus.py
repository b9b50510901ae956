"""Publishing and delivering: envelopes, order, slow readers, disposal."""

import re
from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from opencode.core.ids import SessionID
from opencode.event.frame import Frame
from opencode.event.schema import Event
from opencode.event.server_events import GlobalDisposed, ServerHeartbeat
from opencode.event.subscription import BATCH_BYTES
from opencode.storage.database import Transaction
from tests.support.event_world import DIRECTORY, Changed, Message, Ticked, World, open_world, parse, read, shown


async def test_a_stream_of_a_directory_gets_its_events_with_id_type_properties_and_cursor(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as subscription:
        world.tick(1)
        messages = await read(subscription, 2)
    epoch = world.log.epoch
    assert [list(message.data) for message in messages] == [["id", "type", "properties"]] * 2
    assert [{**message.data, "id": None} for message in messages] == [
        {"id": None, "type": "server.connected", "properties": {}},
        {"id": None, "type": "test.ticked", "properties": {"number": 1}},
    ]
    assert all(re.fullmatch(r"evt_[0-9a-f]{12}[0-9A-Za-z]{14}", str(message.data["id"])) for message in messages)
    assert [message.id for message in messages] == [f"{epoch}.0", f"{epoch}.1"]


async def test_the_global_stream_wraps_events_and_leaves_its_own_bare(world: World) -> None:
    async with world.bus.subscribe(None) as subscription:
        world.tick(1)
        world.publisher("global", None).publish(GlobalDisposed())
        connected, ticked, disposed = await read(subscription, 3)
    assert list(connected.data) == ["payload"]
    assert {**ticked.data, "payload": None} == {"directory": DIRECTORY, "project": "prj", "payload": None}
    assert {**disposed.data, "payload": None} == {"directory": "global", "payload": None}
    assert shown([connected, ticked, disposed]) == [("server.connected",), ("test.ticked", 1), ("global.disposed",)]


async def test_names_with_quotes_and_line_breaks_stay_one_line_of_json(world: World) -> None:
    directory = 'C:\\a"b\nc'
    async with world.bus.subscribe(None) as subscription:
        world.publisher(directory).publish(Ticked(number=1))
        _, ticked = await read(subscription, 2)
    assert ticked.data["directory"] == directory


async def test_a_directory_gets_no_events_of_others_and_the_global_stream_gets_all(world: World) -> None:
    other = world.publisher("/elsewhere")
    async with world.bus.subscribe(DIRECTORY) as here, world.bus.subscribe(None) as everywhere:
        world.tick(1)
        other.publish(Ticked(number=2))
        await world.change(3)
        assert shown(await read(here, 3)) == [("server.connected",), ("test.ticked", 1), ("test.changed", "ses_1", 3)]
        assert [message.data.get("directory") for message in await read(everywhere, 4)] == [
            None, DIRECTORY, "/elsewhere", DIRECTORY,
        ]  # fmt: skip


async def test_all_streams_see_the_same_bytes_in_the_same_order(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as one, world.bus.subscribe(DIRECTORY) as two:
        for number in range(50):
            world.tick(number)
            await world.change(number)
        first, second = await read(one, 101), await read(two, 101)
    assert first[1:] == second[1:]
    assert shown(first)[1:5] == [
        ("test.ticked", 0), ("test.changed", "ses_1", 0), ("test.ticked", 1), ("test.changed", "ses_1", 1),
    ]  # fmt: skip
    numbers = [int(str(message.id).partition(".")[2]) for message in first]
    assert numbers == list(range(101))


async def test_an_event_is_delivered_only_once_its_change_is_committed(world: World) -> None:
    seen: list[int] = []
    world.events.subscribe_function(Changed, lambda event: seen.append(len(world.database.read("SELECT 1 FROM todo"))))

    def change(tx: Transaction) -> None:
        world.events.append(tx, Changed(number=1))
        tx.execute("INSERT INTO todo VALUES ('a', '')")

    await world.database.write(change)
    assert seen == [1]


async def test_an_event_of_an_undone_change_is_never_seen_and_those_after_it_are(world: World) -> None:
    def change(tx: Transaction) -> None:
        world.events.append(tx, Changed(number=1))
        raise ValueError

    async with world.bus.subscribe(DIRECTORY) as subscription:
        with pytest.raises(ValueError):
            await world.database.write(change)
        world.tick(2)
        assert shown(await read(subscription, 2)) == [("server.connected",), ("test.ticked", 2)]
    assert world.database.read("SELECT count(*) FROM event") == [(0,)]


async def test_what_is_published_while_commits_are_being_announced_comes_after_them(world: World) -> None:
    def change(tx: Transaction) -> None:
        tx.after_commit(lambda: world.tick(9))
        world.events.append(tx, Changed(number=1), Changed(number=2))

    async with world.bus.subscribe(DIRECTORY) as subscription:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.database.write, change)
            tasks.start_soon(world.change, 3)
        messages = await read(subscription, 5)
    assert [message.shown[-1] for message in messages[1:]] == [1, 2, 3, 9]
    numbers = [int(str(message.id).partition(".")[2]) for message in messages]
    assert numbers == sorted(numbers)


async def test_listeners_get_the_events_of_their_kind_and_directory_until_they_stop(world: World) -> None:
    seen: list[Ticked] = []
    stop = world.events.subscribe_function(Ticked, seen.append)
    world.publisher("/elsewhere").publish(Ticked(number=1))
    await world.change(2)
    world.publisher(DIRECTORY).publish(Ticked(number=3))
    stop()
    stop()
    world.tick(4)
    assert seen == [Ticked(number=3)]


async def test_a_listener_may_publish_and_fail_without_harm(world: World) -> None:
    def answer(event: Changed) -> None:
        world.tick(event.number + 10)
        raise RuntimeError("listener")

    world.events.subscribe_function(Changed, answer)
    async with world.bus.subscribe(DIRECTORY) as subscription:
        await world.change(1, 2)
        messages = await read(subscription, 5)
    assert [message.shown[-1] for message in messages[1:]] == [1, 2, 11, 12]


async def test_what_gathers_while_a_stream_writes_goes_out_in_one_write(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as subscription:
        batches = subscription.batches()
        await anext(batches)
        world.tick(*range(100))
        assert len(parse(await anext(batches))) == 100
        await batches.aclose()


async def test_a_stream_that_does_not_read_is_ended_while_others_get_everything(world: World) -> None:
    lags: list[str] = []
    received: list[Message] = []
    async with (
        world.bus.subscribe(DIRECTORY, buffer_bytes=10_000, on_lag=lambda: lags.append("slow")) as slow,
        world.bus.subscribe(DIRECTORY, buffer_bytes=10_000) as quick,
    ):
        async with anyio.create_task_group() as tasks:

            async def keep_reading() -> None:
                async for batch in quick.batches():
                    received.extend(parse(batch))
                    if len(received) == 1001:
                        return

            tasks.start_soon(keep_reading)
            with anyio.fail_after(5):
                for number in range(1000):
                    world.tick(number)
                    if number % 10 == 0:
                        await world.change_nothing()
        assert (lags, slow.lagged, quick.lagged) == (["slow"], True, False)
        assert [len(parse(batch)) async for batch in slow.batches()] == [1]
    assert len(received) == 1001


async def test_a_message_larger_than_the_buffer_reaches_whoever_reads(world: World) -> None:
    """An answer of many megabytes must not end every stream it goes to."""
    async with world.bus.subscribe(DIRECTORY, buffer_bytes=10) as subscription:
        world.tick(1)
        assert shown(await read(subscription, 2)) == [("server.connected",), ("test.ticked", 1)]
        assert not subscription.lagged
        world.tick(2, 3)
        assert subscription.lagged


async def test_disposing_of_an_instance_ends_the_streams_of_its_directory_only(world: World) -> None:
    seen: list[Ticked] = []
    world.events.subscribe_function(Ticked, seen.append)
    async with world.bus.subscribe(DIRECTORY) as here, world.bus.subscribe(None) as everywhere:
        world.events.dispose()
        world.tick(1)
        with anyio.fail_after(5):
            messages = [message async for batch in here.batches() for message in parse(batch)]
        assert shown(messages) == [("server.connected",), ("server.instance.disposed", DIRECTORY)]
        mirrored = await read(everywhere, 3)
    assert mirrored[1].payload == messages[1].data
    assert mirrored[1].data["directory"] == DIRECTORY
    assert mirrored[2].shown == ("test.ticked", 1)
    assert seen == []


async def test_closing_the_bus_ends_all_streams_after_what_they_have_to_send(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as here, world.bus.subscribe(None) as everywhere:
        world.tick(1)
        world.bus.close()
        with anyio.fail_after(5):
            for subscription in (here, everywhere):
                messages = [message async for batch in subscription.batches() for message in parse(batch)]
                assert shown(messages) == [("server.connected",), ("test.ticked", 1)]
    async with world.bus.subscribe(None) as late:
        messages = [message async for batch in late.batches() for message in parse(batch)]
    assert shown(messages) == [("server.connected",)]


async def test_cancelling_one_stream_leaves_the_others_waiting(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as one, world.bus.subscribe(DIRECTORY) as two:
        received: list[Message] = []

        async def listen() -> None:
            received.extend(await read(two, 2))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            async with anyio.create_task_group() as doomed:
                doomed.start_soon(read, one, 2)
                await anyio.wait_all_tasks_blocked()
                doomed.cancel_scope.cancel()
            world.tick(1)
    assert shown(received) == [("server.connected",), ("test.ticked", 1)]


async def test_a_view_of_its_own_may_leave_events_out(world: World) -> None:
    def odd_only(frame: object) -> bytes | None:
        payload: bytes = frame.payload  # type: ignore[attr-defined]
        return payload if b'"number":2' not in payload else None

    async with world.bus.subscribe(DIRECTORY, envelope=odd_only) as subscription:
        world.tick(1, 2, 3)
        assert shown(await read(subscription, 3))[1:] == [("test.ticked", 1), ("test.ticked", 3)]


async def test_numbers_go_up_across_restarts_and_are_never_used_again(tmp_path: Path) -> None:
    numbers: list[int] = []
    for _ in range(3):
        async with open_world(tmp_path / "opencode-server.db") as world, world.bus.subscribe(None) as subscription:
            world.tick(1)
            await world.change(2)
            numbers += [int(str(message.id).partition(".")[2]) for message in (await read(subscription, 3))[1:]]
    assert len(set(numbers)) == 6
    assert numbers == sorted(numbers)


async def test_an_event_of_one_stream_has_the_cursor_of_its_moment_and_no_place_in_the_order(world: World) -> None:
    async with world.bus.subscribe(None) as one, world.bus.subscribe(None) as other:
        world.tick(1)
        one.push_local(ServerHeartbeat())
        world.tick(2)
        messages = await read(one, 4)
        assert shown(await read(other, 3))[1:] == [("test.ticked", 1), ("test.ticked", 2)]
    assert shown(messages)[1:] == [("test.ticked", 1), ("server.heartbeat",), ("test.ticked", 2)]
    assert [message.id for message in messages] == [f"{world.log.epoch}.{seq}" for seq in (0, 1, 1, 2)]
    assert list(messages[2].data) == ["payload"]
    assert str(messages[2].payload["id"]).startswith("evt_")


async def test_a_view_may_leave_out_the_events_of_its_stream(world: World) -> None:
    def ticks_only(frame: Frame) -> bytes | None:
        return frame.payload if frame.type == "test.ticked" else None

    async with world.bus.subscribe(DIRECTORY, envelope=ticks_only) as subscription:
        subscription.push_local(ServerHeartbeat())
        world.tick(1)
        assert shown(await read(subscription, 1)) == [("test.ticked", 1)]


class Spoken(Event):
    """A transient event of a session."""

    type: ClassVar[str] = "test.spoken"
    durable: ClassVar[bool] = False
    session_id: SessionID


async def test_views_know_which_session_an_event_is_about_live_and_in_every_replay(tmp_path: Path) -> None:
    seen: list[tuple[str, str | None]] = []

    def noted(frame: Frame) -> bytes | None:
        seen.append((frame.type, frame.session_id))
        return frame.payload

    async with open_world(tmp_path / "opencode-server.db", ring_bytes=0) as world:
        async with world.bus.subscribe(DIRECTORY, envelope=noted) as subscription:
            world.events.publish(Spoken(session_id=SessionID("ses_2")))
            world.tick(1)
            await world.change(2)
            first, *_ = await read(subscription, 4)
        live = [("test.spoken", "ses_2"), ("test.ticked", None), ("test.changed", "ses_1")]
        assert seen[1:] == live
        seen.clear()
        async with world.bus.subscribe(DIRECTORY, first.id, envelope=noted) as subscription:
            await read(subscription, 2)
        assert seen[1:] == live[-1:]


async def test_a_disposal_that_comes_during_a_commit_ends_the_streams_after_it(world: World) -> None:
    def change(tx: Transaction) -> None:
        world.events.append(tx, Changed(number=1))
        world.events.dispose()

    async with world.bus.subscribe(DIRECTORY) as subscription:
        await world.database.write(change)
        with anyio.fail_after(5):
            messages = [message async for batch in subscription.batches() for message in parse(batch)]
    assert shown(messages)[1:] == [("test.changed", "ses_1", 1), ("server.instance.disposed", DIRECTORY)]


async def test_a_listener_that_stops_late_stops_no_other(world: World) -> None:
    seen: list[str] = []
    stop_old = world.events.subscribe_function(Ticked, lambda _: seen.append("old"))
    world.events.dispose()
    world.events.subscribe_function(Ticked, lambda _: seen.append("new"))
    stop_old()
    world.tick(1)
    assert seen == ["new"]


async def test_large_amounts_go_out_in_several_writes_with_every_message_once(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY, buffer_bytes=10_000_000) as subscription:
        for number in range(40):
            world.events.publish(Said(text="x" * 50_000, number=number))
        batches = subscription.batches()
        sizes, numbers = [], []
        while len(numbers) < 40:
            batch = await anext(batches)
            sizes.append(len(batch))
            numbers += [m.payload["properties"]["number"] for m in parse(batch) if m.shown[0] == "test.said"]  # type: ignore[index]
        await batches.aclose()
    assert numbers == list(range(40))
    assert len(sizes) > 5
    assert all(size < BATCH_BYTES + 60_000 for size in sizes)


class Said(Event):
    """A long transient event."""

    type: ClassVar[str] = "test.said"
    durable: ClassVar[bool] = False
    text: str
    number: int


async def test_what_was_read_makes_room_again(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY, buffer_bytes=100_000) as subscription:
        batches = subscription.batches()
        await anext(batches)
        for number in range(20):
            world.events.publish(Said(text="x" * 90_000, number=number))
            assert len(parse(await anext(batches))) == 1
        assert not subscription.lagged
        await batches.aclose()


async def test_a_message_that_finds_a_buffer_not_yet_full_fits_however_large_it_is(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY, buffer_bytes=100_000) as subscription:
        world.events.publish(Said(text="x" * 500_000, number=1))
        assert not subscription.lagged
        world.tick(2)
        assert subscription.lagged
