"""What the memory of a work tree must not miss, with old files that are believed and young ones that are not."""

import os
import shutil
import time
from pathlib import Path

import pytest

from opencode.snapshot import file_watch, stamps
from opencode.snapshot.directory_watch import DirectoryWatch
from opencode.snapshot.file_watch import FileWatch


async def settled(snapshots, count_git) -> str:  # type: ignore[no-untyped-def]
    """Take snapshots until git is no longer asked."""
    for _ in range(200):
        tree = await snapshots.track()
        if not count_git():
            return tree
    raise AssertionError("never settles")


CHANGES = {
    "content": lambda root: (root / "a").write_text("2\n"),
    "same length and time": lambda root: _rewrite(root / "a"),
    "executable": lambda root: (root / "a").chmod(0o755),
    "new file": lambda root: (root / "new").write_text("x"),
    "new file in a known directory": lambda root: (root / "d/new").write_text("x"),
    "new file in an empty directory": lambda root: (root / "empty/deep/new").write_text("x"),
    "new directory": lambda root: _new_directory(root),
    "deleted": lambda root: (root / "a").unlink(),
    "deleted directory": lambda root: shutil.rmtree(root / "d"),
    "renamed": lambda root: (root / "a").rename(root / "b"),
    "renamed over": lambda root: (root / "a").rename(root / "d/b"),
    "file to link": lambda root: _to_link(root / "a"),
    "file to directory": lambda root: _to_directory(root / "a"),
    "ignored file is wanted": lambda root: (root / ".gitignore").write_text(""),
    "rules in an ignored file": lambda root: (root / "d/.gitignore").write_text(""),
    "repository's rules": lambda root: (root / ".git/info/exclude").write_text("free\n"),
}


def _rewrite(path: Path) -> None:
    status = path.stat()
    path.write_text("2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _new_directory(root: Path) -> None:
    (root / "p/q").mkdir(parents=True)
    (root / "p/q/new").write_text("x")


def _to_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("d")


def _to_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inner").write_text("x")


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("has_settled", [True, False])
async def test_every_kind_of_change_is_noticed(world, count_git, kind: str, has_settled: bool) -> None:
    world.commit(a="1\n", __gitignore="log\n/d/.gitignore\n", **{"d/b": "1\n"})
    (world.tree / "empty/deep").mkdir(parents=True)
    world.write("log", "x")
    world.write("free", "x")
    world.write("d/.gitignore", "hidden\n")
    world.write("d/hidden", "x")
    snapshots = world.open()
    before = await settled(snapshots, count_git) if has_settled else await snapshots.track()
    CHANGES[kind](world.tree)
    after = await snapshots.track()
    shutil.rmtree(world.data)
    assert after == await world.open().track()
    assert after != before


async def test_large_trees_are_left_to_git(world, count_git, monkeypatch) -> None:
    monkeypatch.setattr("opencode.snapshot.memory.FILES_LIMIT", 2)
    monkeypatch.setattr("opencode.snapshot.directory_watch.LIMIT", 2)
    world.commit(**{f"d{number}/f": "1\n" for number in range(5)})
    snapshots = world.open()
    before = await snapshots.track()
    count_git()
    assert await snapshots.track() == before
    assert count_git() == ["diff-files", "ls-files"]
    world.write("d1/f", "2\n")
    world.write("d6/f", "2\n")
    assert [Path(file).parent.name for file in (await snapshots.patch(before)).files] == ["d1", "d6"]


def test_a_young_stamp_proves_nothing() -> None:
    now = 1_700_000_000_123_456_789
    assert not stamps.is_settled((0, now, 1, 1, 1), now)
    assert not stamps.is_settled((0, now - 10_000_000, 1, 1, 1), now)
    assert stamps.is_settled((0, now - 20_000_000, 1, 1, 1), now)
    assert not stamps.is_settled((0, 1_700_000_000_000_000_000, 1, 1, 1), now)
    assert stamps.is_settled((0, 1_699_999_998_000_000_000, 1, 1, 1), now)


async def test_a_file_is_suspect_until_its_stamp_can_be_believed(tmp_path) -> None:
    (tmp_path / "f").write_text("1")
    watch = FileWatch(tmp_path)
    await watch.watch([b"f"], time.time_ns())
    assert await watch.suspects() == [b"f"]
    await watch.watch([b"f"], time.time_ns() + 10_000_000_000)
    assert await watch.suspects() == []
    watch.forget([b"f"])
    assert len(watch) == 0


async def test_a_directory_that_came_after_the_listing_stays_new(tmp_path) -> None:
    async def none_ignored(found: list[bytes]) -> set[bytes]:
        return set()

    (tmp_path / "old").mkdir()
    watch = DirectoryWatch(tmp_path, b"")
    since_ns = time.time_ns()
    (tmp_path / "late").write_text("x")
    await watch.begin(set(), none_ignored, since_ns)
    assert await watch.has_new_names()
    assert file_watch.SLICE > 0


async def test_a_file_that_comes_back_into_a_directory_emptied_a_moment_ago_is_noticed(world) -> None:
    world.write("x/z/deep", "1\n")
    world.write("a", "1\n")
    snapshots = world.open()
    before = await snapshots.track()
    (world.tree / "x/z/deep").unlink()
    assert world.names(snapshots, await snapshots.track()) == ["a"]
    world.write("x/z/deep", "1\n")
    assert await snapshots.track() == before
