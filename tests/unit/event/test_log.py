"""Retention: the log forgets by age and by size, and knows what it forgot."""

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import EventID, ProjectID
from opencode.core.wire import decode
from opencode.event.log import TRIM_EVERY, CursorExpired, EventLog, open_event_log
from opencode.event.schema import EventScope
from tests.support.event_world import DIRECTORY, World, read

HOUR = 60 * 60 * 1000


async def append(world: World, log: EventLog, count: int, size: int = 10) -> None:
    def change(tx: object) -> None:
        for _ in range(count):
            seq = log.next_seq()
            event = (seq, EventID(f"evt_{seq}"), None, "test", b"x" * size)
            log.append(tx, EventScope(directory=DIRECTORY), world.clock.now, [event])  # type: ignore[arg-type]

    await world.database.write(change)


async def kept(log: EventLog, after: int) -> list[int]:
    return [event.seq async for chunk in log.replay(after, log.last, None) for event in chunk]


async def test_events_older_than_a_day_are_removed_and_younger_ones_stay(world: World) -> None:
    await append(world, world.log, 3)
    world.clock.now += 23 * HOUR
    await append(world, world.log, 2)
    world.clock.now += 2 * HOUR
    await world.log.trim()
    assert world.log.trimmed == 3
    assert await kept(world.log, 3) == [4, 5]
    with pytest.raises(CursorExpired):
        await kept(world.log, 2)


async def test_trimming_removes_any_number_a_little_at_a_time(world: World) -> None:
    await append(world, world.log, 5000)
    world.clock.now += 25 * HOUR
    await world.log.trim()
    assert world.database.read("SELECT count(*) FROM event") == [(0,)]
    assert world.log.trimmed == 5000


async def test_the_log_bounds_its_size_by_itself_while_it_is_written(world: World) -> None:
    log = await open_event_log(world.database, world.clock, max_bytes=100_000)
    for _ in range(40):
        await append(world, log, TRIM_EVERY // 4, size=850)
    ((count, stored),) = world.database.read("SELECT count(*), sum(length(properties)) FROM event")
    assert stored < 100_000 + TRIM_EVERY * 850
    assert log.trimmed > 0
    assert len(await kept(log, log.trimmed)) == count


async def test_what_was_removed_is_remembered_by_the_next_run(world: World) -> None:
    await append(world, world.log, 3)
    world.clock.now += 25 * HOUR
    await world.log.trim()
    again = await open_event_log(world.database, world.clock)
    assert (again.trimmed, again.epoch) == (3, world.log.epoch)
    assert again.last > world.log.last


async def test_a_clock_that_was_set_back_removes_nothing_early(world: World) -> None:
    await append(world, world.log, 1)
    world.clock.now -= 48 * HOUR
    await append(world, world.log, 1)
    world.clock.now += 48 * HOUR
    await world.log.trim()
    assert await kept(world.log, 0) == [1, 2]


async def test_a_quiet_log_is_trimmed_by_the_hour_and_a_failure_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.event.log.TRIM_INTERVAL_SECONDS", 0.001)
    await append(world, world.log, 3)
    world.clock.now += 25 * HOUR
    world.database.read("PRAGMA query_only = ON")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.log.keep_trimmed)
        with anyio.move_on_after(0.05):
            await anyio.sleep_forever()
        assert world.log.trimmed == 0
        world.database.read("PRAGMA query_only = OFF")
        with anyio.fail_after(10):
            while world.log.trimmed < 3:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_trimming_when_nothing_is_too_old_changes_nothing(world: World) -> None:
    await append(world, world.log, 3)
    await world.log.trim()
    assert (world.log.trimmed, await kept(world.log, 0)) == (0, [1, 2, 3])


async def test_the_log_keeps_all_that_is_known_of_an_event(world: World) -> None:
    async with world.bus.subscribe(None) as subscription:
        await world.change(1)
        await world.change(2, events=world.publisher("/d", None))
        _, first, second = await read(subscription, 3)
    [chunk] = [chunk async for chunk in world.log.replay(0, world.log.last, None)]
    assert [(e.seq, e.id, e.scope, e.session_id, e.type) for e in chunk] == [
        (1, first.payload["id"], EventScope(directory=DIRECTORY, project=ProjectID("prj")), "ses_1", "test.changed"),
        (2, second.payload["id"], EventScope(directory="/d", project=None), "ses_1", "test.changed"),
    ]
    assert [decode(e.properties, dict) for e in chunk] == [{"sessionID": "ses_1", "number": n} for n in (1, 2)]
