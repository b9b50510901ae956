"""Snapshots: taking them, what changed, reverting and restoring."""

import anyio
import pytest

from opencode.snapshot.errors import SnapshotFailed, SnapshotNotFound
from opencode.snapshot.schema import FileChange, Patch


def header(file: str) -> str:
    return f"Index: {file}\n{'=' * 67}\n--- {file}\t\n+++ {file}\t\n"


async def tracked(snapshots) -> str:  # type: ignore[no-untyped-def]
    tree = await snapshots.track()
    assert tree is not None
    return tree


async def test_a_tree_is_the_same_until_a_file_changes(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    first = await tracked(snapshots)
    assert await tracked(snapshots) == first
    world.write("a", "2\n")
    second = await tracked(snapshots)
    assert second != first
    world.write("a", "1\n")
    assert await tracked(snapshots) == first
    assert world.names(snapshots, second) == ["a"]


async def test_a_patch_names_what_was_made_changed_and_deleted_since_a_tree(world) -> None:
    world.commit(a="1\n", b="1\n", c="1\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("a", "2\n")
    (world.tree / "b").unlink()
    world.write("new/file", "x\n")
    after = await tracked(snapshots)
    names = [f"{world.tree}/{name}" for name in ("a", "b", "new/file")]
    assert await snapshots.patch(before) == Patch(before, names)
    assert await snapshots.patch(before, after) == Patch(before, names)
    assert await snapshots.patch(after) == Patch(after, [])


async def test_changes_carry_whole_file_patches_and_counts(world) -> None:
    world.commit(edited="1\n2\n3\n", deleted="old\n", cut="no end")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("edited", "1\ntwo\n3\n")
    world.write("cut", "no end\n")
    (world.tree / "deleted").unlink()
    world.write("added", "x\ny\n")
    world.write("empty", "")
    after = await tracked(snapshots)
    assert await snapshots.changed(before, after) == [
        FileChange("added", header("added") + "@@ -0,0 +1,2 @@\n+x\n+y\n", 2, 0, "added"),
        FileChange(
            "cut", header("cut") + "@@ -1,1 +1,1 @@\n-no end\n\\ No newline at end of file\n+no end\n", 1, 1, "modified"
        ),
        FileChange("deleted", header("deleted") + "@@ -1,1 +0,0 @@\n-old\n", 0, 1, "deleted"),
        FileChange("edited", header("edited") + "@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n", 1, 1, "modified"),
        FileChange("empty", header("empty"), 0, 0, "added"),
    ]


async def test_the_diff_is_what_git_prints(world) -> None:
    world.commit(a="v1\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("a", "version two\n")
    world.write("b", "x\n")
    assert await snapshots.diff(before) == (
        "diff --git a/a b/a\nindex 626799f..6702fe2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-v1\n+version two\n"
        "diff --git a/b b/b\nnew file mode 100644\nindex 0000000..587be6b\n--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+x"
    )


async def test_revert_takes_the_oldest_state_of_each_file_and_unrevert_brings_all_back(world) -> None:
    world.commit(made="v0\n", gone="keep\n")
    snapshots = world.open()
    one = await tracked(snapshots)
    world.write("made", "v1\n")
    world.write("dir/new", "n\n")
    two = await tracked(snapshots)
    first = await snapshots.patch(one, two)
    world.write("made", "v2\n")
    (world.tree / "gone").unlink()
    three = await tracked(snapshots)
    second = await snapshots.patch(two, three)
    world.write("other", "the user's\n")
    await snapshots.revert([first, second])
    assert (world.read("made"), world.read("gone"), world.read("other")) == ("v0\n", "keep\n", "the user's\n")
    assert not (world.tree / "dir").exists()
    await snapshots.restore(three, only=[*first.files, *second.files])
    assert (world.read("made"), world.read("dir/new"), world.read("other")) == ("v2\n", "n\n", "the user's\n")
    assert not (world.tree / "gone").exists()
    await snapshots.restore(three)
    assert not (world.tree / "other").exists()
    assert await tracked(snapshots) == three


async def test_a_patch_never_reaches_outside_of_the_directory(world, tmp_path) -> None:
    world.commit(a="1\n")
    outside = tmp_path / "outside"
    outside.write_text("safe")
    snapshots = world.open()
    tree = await tracked(snapshots)
    paths = [str(outside), f"{world.tree}/../outside", f"{world.tree}/.git/HEAD", str(world.tree)]
    await snapshots.revert([Patch(tree, paths)])
    assert outside.read_text() == "safe"
    assert (world.tree / ".git/HEAD").exists()


async def test_unknown_trees_change_nothing_and_are_named(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    tree = await tracked(snapshots)
    world.write("a", "2\n")
    for unknown in ("0" * 39 + "1", "--output=/tmp/x", "HEAD"):
        with pytest.raises(SnapshotNotFound):
            await snapshots.revert([Patch(tree, [f"{world.tree}/a"]), Patch(unknown, [f"{world.tree}/b"])])
        with pytest.raises(SnapshotNotFound):
            await snapshots.restore(unknown)
        with pytest.raises(SnapshotNotFound):
            await snapshots.changed(unknown, tree)
        assert (await snapshots.patch(unknown)).files == []
        assert await snapshots.diff(unknown) == ""
    assert world.read("a") == "2\n"


async def test_turned_off_nothing_is_taken_nor_written(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open(enabled=False)
    assert (snapshots.enabled, await snapshots.track(), await snapshots.diff("0" * 40)) == (False, None, "")
    with pytest.raises(SnapshotFailed):
        await snapshots.restore("0" * 40)
    assert not world.data.exists()
    assert await snapshots.cleanup(now_ms=0) is None


async def test_without_git_there_are_no_snapshots_and_it_says_why(world) -> None:
    world.commit(a="1\n")
    world.environ["PATH"] = str(world.tree)
    snapshots = world.open()
    assert await snapshots.track() is None
    assert not snapshots.enabled
    assert "No such file" in (snapshots.off_because or "")


async def test_callers_at_the_same_time_share_a_snapshot_that_began_after_they_called(world, count_git) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    trees: list[str] = []

    async def take() -> None:
        trees.append(await tracked(snapshots))

    await take()
    world.write("a", "2\n")
    count_git()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(take)
    assert len(set(trees[1:])) == 1
    assert len(count_git()) <= 6


async def test_nothing_new_costs_no_process_once_the_files_are_old_enough(world, count_git) -> None:
    world.commit(a="1\n", b="2\n")
    snapshots = world.open()
    tree = await tracked(snapshots)
    with anyio.fail_after(5):
        while count_git():
            assert await tracked(snapshots) == tree
    world.write("a", "3\n")
    await tracked(snapshots)
    assert count_git() == ["update-index", "write-tree"]


async def test_a_cancelled_snapshot_leaves_the_next_one_right(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    for _ in range(3):
        world.write("a", "2\n")
        world.write("b", "2\n")
        with anyio.move_on_after(0.004):
            await snapshots.track()
        world.write("b", "3\n")
    (world.store / "index.lock").write_text("left by a killed git")
    assert sorted(world.names(snapshots, await tracked(snapshots))) == ["a", "b"]
    tree = await tracked(snapshots)
    world.write("b", "4\n")
    await snapshots.restore(tree)
    assert world.read("b") == "3\n"


async def test_what_made_way_for_a_file_comes_back_with_it(world) -> None:
    """A person replaced a directory by a file; a revert needed the directory, and is taken back."""
    world.commit(**{"x/y": "1\n", "z": "1\n"})
    snapshots = world.open()
    before = await tracked(snapshots)
    (world.tree / "x/y").unlink()
    patch = await snapshots.patch(before)
    (world.tree / "x").rmdir()
    world.write("x", "mine\n")
    forward = await tracked(snapshots)
    await snapshots.revert([patch])
    assert world.read("x/y") == "1\n"
    world.write("z", "2\n")
    await snapshots.restore(forward, only=patch.files)
    assert (world.read("x"), world.read("z")) == ("mine\n", "2\n")
