"""Old snapshots go, young ones and those in use stay whole, and the disk they take is told and bounded."""

import os
import time

from opencode.core.clock import SystemClock
from opencode.snapshot import upkeep
from opencode.snapshot.store import KEPT, remove_stores

DAY = 24 * 3600


def now_ms() -> int:
    return SystemClock().now_ms()


async def tracked(snapshots) -> str:  # type: ignore[no-untyped-def]
    tree = await snapshots.track()
    assert tree is not None
    return tree


def age(world, tree: str | None = None, days: float = 8) -> None:
    """Make a snapshot, and every object, look old."""
    moment = time.time() - days * DAY
    if tree:
        os.utime(world.store / KEPT / tree, (moment, moment))
    for path in (world.store / "objects").rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


async def test_old_snapshots_are_let_go_and_young_ones_can_be_restored(world) -> None:
    world.write("a", "1\n")
    snapshots = world.open()
    old = await tracked(snapshots)
    world.write("a", "2\n")
    young = await tracked(snapshots)
    world.write("a", "3\n")
    await tracked(snapshots)
    age(world, old)
    usage = await snapshots.cleanup(now_ms())
    assert usage is not None
    assert usage.snapshots == 2
    await snapshots.restore(young)
    assert world.read("a") == "2\n"
    assert (await snapshots.patch(old)).files == []


async def test_a_snapshot_in_use_stays_however_old(world) -> None:
    world.write("a", "1\n")
    snapshots = world.open()
    old = await tracked(snapshots)
    world.write("a", "2\n")
    await tracked(snapshots)
    age(world, old)
    await snapshots.cleanup(now_ms(), in_use=[old])
    await snapshots.restore(old)
    assert world.read("a") == "1\n"


async def test_files_that_did_not_change_for_long_stay_in_young_snapshots(world) -> None:
    """A tree is young when it was used last, however old its objects are."""
    world.write("a", "1\n")
    world.write("b", "1\n")
    snapshots = world.open()
    tree = await tracked(snapshots)
    age(world, tree)
    assert await tracked(snapshots) == tree
    world.write("a", "2\n")
    await tracked(snapshots)
    (world.store / KEPT / ("0" * 40)).write_text("0" * 40 + "\n")
    age(world)
    await snapshots.cleanup(now_ms())
    await snapshots.restore(tree)
    assert world.read("a") == "1\n"


async def test_a_store_that_is_too_large_loses_its_older_half(world, monkeypatch) -> None:
    monkeypatch.setattr(upkeep, "STORE_LIMIT_BYTES", 300_000)
    snapshots = world.open()
    trees = []
    for count in range(4):
        world.write("a", os.urandom(100_000))
        trees.append(await tracked(snapshots))
        age(world, trees[-1], days=4 - count)
    usage = await snapshots.cleanup(now_ms())
    assert usage is not None
    assert usage.snapshots == 2
    assert usage.bytes < 400_000
    assert (await snapshots.usage()) == usage


async def test_cleaning_goes_on_when_shared_objects_are_gone(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    broken = await tracked(snapshots)
    world.write("a", "2\n")
    whole = await tracked(snapshots)
    for path in (world.tree / ".git/objects").glob("??/*"):
        path.unlink()
    age(world)
    (world.store / KEPT / ("0" * 40)).write_text("0" * 40 + "\n")
    age(world, "0" * 40)
    usage = await snapshots.cleanup(now_ms())
    assert usage is not None
    assert usage.snapshots == 1
    await snapshots.restore(whole)
    assert (await snapshots.patch(broken)).files == []


async def test_stores_that_are_no_longer_used_are_removed_and_others_are_not(world) -> None:
    world.write("a", "1\n")
    await tracked(world.open())
    foreign = world.data / "snapshot/other/official"
    foreign.mkdir(parents=True)
    assert remove_stores(world.data, before_ms=now_ms() - DAY * 1000) == []
    store = next((world.data / "snapshot/p").iterdir())
    assert remove_stores(world.data, before_ms=now_ms() + DAY * 1000) == [store]
    assert foreign.exists()
    assert not store.exists()


async def test_the_store_of_a_directory_that_is_open_is_not_left_behind(world) -> None:
    world.write("a", "1\n")
    snapshots = world.open()
    tree = await tracked(snapshots)
    long_ago = time.time() - 40 * DAY
    for path in (world.store / "opencode-server", world.store / KEPT / tree):
        os.utime(path, (long_ago, long_ago))
    await snapshots.cleanup(now_ms(), in_use=[tree])
    assert remove_stores(world.data, before_ms=now_ms() - 30 * DAY * 1000) == []


async def test_usage_counts_what_lies_on_the_disk(world) -> None:
    world.write("a", "1\n")
    snapshots = world.open()
    empty = await snapshots.usage()
    assert (empty.bytes, empty.objects, empty.snapshots, empty.oldest_ms) == (0, 0, 0, None)
    await tracked(snapshots)
    usage = await snapshots.usage()
    assert (usage.directory, usage.objects, usage.snapshots) == (world.store, 2, 1)
    assert usage.bytes > 0
