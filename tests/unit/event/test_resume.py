"""Coming back with a cursor: exactly what was missed, or to be told that it cannot be had."""

from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from opencode.event.schema import Event, EventScope
from tests.support.event_world import DIRECTORY, Changed, Message, World, open_world, parse, read, shown


class OpenPart(Event):
    """What is under way."""

    type: ClassVar[str] = "test.open"
    text: str


def cursor(messages: list[Message]) -> str:
    """What a client would send back: the latest id it saw."""
    return [message.id for message in messages if message.id][-1]  # type: ignore[return-value]


async def position(world: World, directory: str | None = DIRECTORY) -> str:
    async with world.bus.subscribe(directory) as subscription:
        return cursor(await read(subscription, 1))


async def everything(world: World, after: str) -> list[Message]:
    """What a stream has to say until it ends."""
    async with world.bus.subscribe(DIRECTORY, after) as subscription:
        return [message async for batch in subscription.batches() for message in parse(batch)]


async def test_a_short_absence_is_made_up_for_exactly_with_deltas(world: World) -> None:
    after = await position(world)
    world.tick(1)
    await world.change(2)
    world.tick(3)
    async with world.bus.subscribe(DIRECTORY, after) as subscription:
        world.tick(4)
        messages = await read(subscription, 5)
    assert shown(messages) == [
        ("server.connected",), ("test.ticked", 1), ("test.changed", "ses_1", 2), ("test.ticked", 3), ("test.ticked", 4),
    ]  # fmt: skip
    assert messages[0].id == after


async def test_from_every_cursor_the_rest_follows_once(world: World) -> None:
    async with world.bus.subscribe(DIRECTORY) as subscription:
        for number in range(10):
            world.tick(number)
            await world.change(number)
        whole = await read(subscription, 21)
    for index, message in enumerate(whole):
        async with world.bus.subscribe(DIRECTORY, message.id) as subscription:
            world.bus.live_events = lambda directory: pytest.fail("memory is complete")
            again = await read(subscription, len(whole) - index)
        assert again[1:] == whole[index + 1 :]


async def test_other_directories_are_not_replayed(world: World) -> None:
    after = await position(world)
    await world.change(1, events=world.publisher("/elsewhere"))
    await world.change(2)
    async with world.bus.subscribe(DIRECTORY, after) as here, world.bus.subscribe(None, after) as everywhere:
        assert shown(await read(here, 2))[1:] == [("test.changed", "ses_1", 2)]
        assert [message.shown[-1] for message in await read(everywhere, 3)] == ["server.connected", 1, 2]


async def test_after_a_restart_the_log_gives_the_durable_events_and_then_what_is_under_way(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with open_world(path) as world:
        after = await position(world)
        for number in range(600):
            await world.change(number)
            world.tick(number)
    async with open_world(path) as world:
        world.bus.live_events = lambda directory: [
            (EventScope(directory=DIRECTORY), OpenPart(text=f"so far, for {directory}"))
        ]
        await world.change(600)
        async with world.bus.subscribe(DIRECTORY, after) as subscription:
            world.tick(601)
            messages = await read(subscription, 604)
    assert [message.shown[-1] for message in messages] == [
        "server.connected", *range(601), f"so far, for {DIRECTORY}", 601,
    ]  # fmt: skip
    assert messages[0].id == after


async def test_what_fell_out_of_memory_comes_from_the_log_without_the_deltas(tmp_path: Path) -> None:
    async with open_world(tmp_path / "opencode-server.db", ring_bytes=5_000) as world:
        after = await position(world, None)
        for number in range(50):
            world.tick(number)
            await world.change(number)
        async with world.bus.subscribe(None, after) as subscription:
            world.tick(50)
            messages = await read(subscription, 52)
    assert [message.shown[-1] for message in messages] == ["server.connected", *range(50), 50]
    assert [list(message.data) for message in messages[1:3]] == [["directory", "project", "payload"]] * 2


async def test_a_replay_that_breaks_off_can_be_resumed_at_any_message_without_a_hole(tmp_path: Path) -> None:
    """Deltas that only memory holds must not be sent to a client that misses earlier ones of the same part."""
    async with open_world(tmp_path / "opencode-server.db", ring_bytes=5_000) as world:
        after = await position(world)
        for number in range(50):
            world.tick(number)
            await world.change(number)
        world.bus.live_events = lambda directory: [(EventScope(directory=DIRECTORY), OpenPart(text="so far"))]
        world.bus.close()  # streams end once they are up to date
        whole = await everything(world, after)
        assert len(whole) == 52
        for broken_at in range(1, len(whole) - 1):
            seen = whole[:broken_at]
            rest = shown(await everything(world, cursor(seen)))
            assert ("test.open", "so far") in rest
            assert set(shown(seen) + rest) == set(shown(whole))


@pytest.mark.parametrize(
    ("given", "reason"),
    [("nonsense", "malformed"), ("", "malformed"), ("abcdef.-1", "malformed"), ("abcdef012345.7", "other-database")],
)
async def test_a_cursor_that_is_not_ours_is_answered_with_resync(world: World, given: str, reason: str) -> None:
    await world.change(1)
    async with world.bus.subscribe(DIRECTORY, given) as subscription:
        world.tick(2)
        messages = await read(subscription, 3)
    assert shown(messages) == [("server.connected",), ("server.resync", reason), ("test.ticked", 2)]
    assert [message.id for message in messages[:2]] == [None, f"{world.log.epoch}.1"]


async def test_a_cursor_that_was_never_given_out_is_answered_with_resync(world: World) -> None:
    async with world.bus.subscribe(None, f"{world.log.epoch}.5") as subscription:
        connected, resync = await read(subscription, 2)
    assert resync.shown == ("server.resync", "unknown")
    assert list(resync.data) == ["payload"]
    assert (connected.id, resync.id) == (None, f"{world.log.epoch}.0")


async def test_who_breaks_off_between_greeting_and_resync_is_told_again(world: World) -> None:
    """The greeting of a stream that cannot continue must not look like a place to continue from."""
    await world.change(1)
    async with world.bus.subscribe(DIRECTORY, "nonsense") as subscription:
        greeting, _ = await read(subscription, 2)
    async with world.bus.subscribe(DIRECTORY, greeting.id or "nonsense") as subscription:
        assert shown(await read(subscription, 2))[1] == ("server.resync", "malformed")


async def test_a_cursor_older_than_the_log_is_answered_with_resync(tmp_path: Path) -> None:
    async with open_world(tmp_path / "opencode-server.db", ring_bytes=0) as world:
        after = await position(world)
        await world.change(1)
        await world.change(2)
        still_good = await position(world)
        world.clock.now += 25 * 60 * 60 * 1000
        await world.log.trim()
        await world.change(3)
        async with world.bus.subscribe(DIRECTORY, after) as subscription:
            assert shown(await read(subscription, 2))[1] == ("server.resync", "too-old")
        async with world.bus.subscribe(DIRECTORY, still_good) as subscription:
            assert shown(await read(subscription, 2))[1] == ("test.changed", "ses_1", 3)


async def test_a_replay_overtaken_by_the_trimming_of_the_log_ends_the_stream(tmp_path: Path) -> None:
    async with open_world(tmp_path / "opencode-server.db", ring_bytes=0) as world:
        after = await position(world)
        await world.change(*range(1000))
        async with world.bus.subscribe(DIRECTORY, after) as subscription:
            batches = subscription.batches()
            seen = parse(await anext(batches)) + parse(await anext(batches))
            world.clock.now += 25 * 60 * 60 * 1000
            await world.log.trim()
            with anyio.fail_after(5):
                seen += [message async for batch in batches for message in parse(batch)]
        assert subscription.lagged
        assert [message.shown[-1] for message in seen[1:]] == list(range(len(seen) - 1))
        async with world.bus.subscribe(DIRECTORY, cursor(seen)) as subscription:
            assert shown(await read(subscription, 2))[1] == ("server.resync", "too-old")


async def test_a_missed_disposal_is_replayed_and_ends_the_stream_again(world: World) -> None:
    after = await position(world)
    world.tick(1)
    world.events.dispose()
    world.tick(2)
    async with world.bus.subscribe(DIRECTORY, after) as subscription:
        with anyio.fail_after(5):
            messages = [message async for batch in subscription.batches() for message in parse(batch)]
    assert shown(messages)[1:] == [("test.ticked", 1), ("server.instance.disposed", DIRECTORY)]
    async with world.bus.subscribe(DIRECTORY, cursor(messages)) as subscription:
        assert shown(await read(subscription, 2))[1:] == [("test.ticked", 2)]


async def test_nothing_is_lost_or_doubled_while_clients_come_and_go(tmp_path: Path) -> None:
    """Durable events from several writers; a reader that breaks off after every batch."""
    async with open_world(tmp_path / "opencode-server.db", ring_bytes=20_000) as world:
        seen: list[int] = []

        async def write(first: int) -> None:
            for number in range(first, first + 250):
                await world.change(number)

        async def keep_coming_back(after: str | None) -> None:
            while len(seen) < 1000:
                async with world.bus.subscribe(DIRECTORY, after) as subscription:
                    batches = subscription.batches()
                    for _ in range(3):
                        messages = parse(await anext(batches))
                        seen.extend(m.shown[-1] for m in messages if m.payload["type"] == "test.changed")  # type: ignore[misc]
                        assert all(message.payload["type"] != "server.resync" for message in messages)
                        if ids := [message.id for message in messages if message.id]:
                            after = ids[-1]
                        if len(seen) >= 1000:
                            break
                    await batches.aclose()

        start = await position(world)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep_coming_back, start)
                for first in range(0, 1000, 250):
                    tasks.start_soon(write, first)
    assert sorted(seen) == list(range(1000))


async def test_the_log_says_which_session_directory_and_project_an_event_belongs_to(world: World) -> None:
    await world.change(1)
    assert world.database.read("SELECT session_id, type, directory, project FROM event") == [
        ("ses_1", Changed.type, DIRECTORY, "prj")
    ]
