"""Work trees that are hard to take: ignored, large, binary, odd names, links, other repositories, broken ones."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from opencode.snapshot.tracker import UNTRACKED_LIMIT_BYTES

BIG = b"x" * (UNTRACKED_LIMIT_BYTES + 1)


async def tracked(snapshots) -> str:  # type: ignore[no-untyped-def]
    tree = await snapshots.track()
    assert tree is not None
    return tree


def everything(root: Path) -> dict[str, bytes]:
    """What a directory holds, to prove that nothing was written."""
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


async def test_all_kinds_of_ignore_rules_count(world) -> None:
    world.commit(__gitignore="by-tree\nfolder/\n", a="1\n")
    (world.tree / ".git/info/exclude").write_text("by-repository\n")
    rules = Path(world.environ["HOME"]) / ".config/git/ignore"
    rules.parent.mkdir(parents=True)
    rules.write_text("by-user\n")
    for name in ("by-tree", "by-repository", "by-user", "folder/x", "seen"):
        world.write(name, "x")
    snapshots = world.open()
    assert world.names(snapshots, await tracked(snapshots)) == [".gitignore", "a", "seen"]
    (world.tree / ".git/info/exclude").write_text("")
    world.write(".gitignore", "seen\n")
    names = world.names(snapshots, await tracked(snapshots))
    assert names == [".gitignore", "a", "by-repository", "by-tree", "folder/x"]


async def test_a_file_that_becomes_ignored_is_let_go_and_neither_told_of_nor_deleted(world) -> None:
    world.commit(a="1\n")
    world.write("build/out", "1\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write(".gitignore", "build\n")
    after = await tracked(snapshots)
    assert world.names(snapshots, after) == [".gitignore", "a"]
    assert (await snapshots.patch(before, after)).files == [f"{world.tree}/.gitignore"]
    assert [change.file for change in await snapshots.changed(before, after)] == [".gitignore"]
    await snapshots.restore(before)
    await snapshots.restore(after)
    assert world.read("build/out") == "1\n"


async def test_an_ignored_file_that_the_repository_tracks_is_kept(world) -> None:
    world.commit(a="1\n", **{"dist/x": "1\n"})
    world.write(".gitignore", "dist\n")
    world.git("add", "-A")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("dist/x", "2\n")
    await snapshots.revert([await snapshots.patch(before)])
    assert world.read("dist/x") == "1\n"


async def test_a_large_new_file_is_left_out_until_it_is_small(world) -> None:
    world.commit(a="1\n")
    for name in ("big", "odd [na*me]! #", "sub/big\nline"):
        world.write(name, BIG)
    snapshots = world.open()
    before = await tracked(snapshots)
    assert world.names(snapshots, before) == ["a"]
    world.write("big", "small")
    assert world.names(snapshots, await tracked(snapshots)) == ["a", "big"]
    await snapshots.restore(before)
    assert not (world.tree / "big").exists()
    assert (world.tree / "odd [na*me]! #").stat().st_size == len(BIG)


async def test_a_large_file_that_the_repository_tracks_is_taken(world) -> None:
    world.commit(a="1\n")
    world.write("big", BIG)
    world.git("add", "-A")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("big", BIG[:-1] + b"y")
    after = await tracked(snapshots)
    assert (await snapshots.patch(before, after)).files == [f"{world.tree}/big"]
    assert [(each.patch, each.status) for each in await snapshots.changed(before, after)] == [("", "modified")]
    await snapshots.restore(before)
    assert (world.tree / "big").read_bytes() == BIG


async def test_binary_files_have_no_patch_and_text_that_is_not_utf_8_has_one(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("binary", bytes(range(256)))
    world.write("latin", b"caf\xe9\r\n")
    after = await tracked(snapshots)
    binary, latin = await snapshots.changed(before, after)
    assert (binary.patch, binary.additions, binary.status) == ("", 0, "added")
    assert latin.patch.endswith("@@ -0,0 +1,1 @@\n+caf\ufffd\r\n")


@pytest.mark.parametrize(
    "name", ["ü ä", ":(top)x", '"quoted"', "back\\slash", "tab\tnew\nline", "-n", "*?[a]", "\udce9"]
)
async def test_odd_names_survive_a_patch_and_a_revert(world, name: str) -> None:
    world.commit(a="1\n")
    world.write(name, "before")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write(name, "after")
    patch = await snapshots.patch(before)
    assert len(patch.files) == 1
    patch.files[0].encode()
    await snapshots.revert([patch])
    assert world.read(name) == "before"
    os.unlink(world.tree / name)
    await snapshots.revert([patch])
    assert world.read(name) == "before"


async def test_contents_are_not_converted_and_no_program_of_the_repository_runs(world, tmp_path) -> None:
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    script.chmod(0o755)
    world.commit(a="1\n")
    for key in ("filter.evil.clean", "filter.evil.smudge", "diff.evil.command", "diff.evil.textconv"):
        world.git("config", key, str(script))
        world.git("config", "--global", key, str(script))
    world.git("config", "core.fsmonitor", str(script))
    world.git("config", "core.hooksPath", str(tmp_path))
    (tmp_path / "post-checkout").write_text(script.read_text())
    (tmp_path / "post-checkout").chmod(0o755)
    attributes = "* text=auto eol=crlf filter=evil diff=evil ident working-tree-encoding=UTF-16\n"
    world.write(".gitattributes", attributes)
    world.write("a", b"$Id$ \r\n\n\xff\xfe")
    snapshots = world.open()
    before = await tracked(snapshots)
    world.write("a", "other")
    after = await tracked(snapshots)
    await snapshots.changed(before, after)
    await snapshots.diff(before)
    await snapshots.restore(before)
    assert (world.tree / "a").read_bytes() == b"$Id$ \r\n\n\xff\xfe"
    assert not (tmp_path / "ran").exists()


async def test_links_are_kept_as_links_and_never_followed(world, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("safe")
    world.commit(**{"d/f": "inside\n"})
    snapshots = world.open()
    before = await tracked(snapshots)
    shutil.rmtree(world.tree / "d")
    (world.tree / "d").symlink_to(outside)
    after = await tracked(snapshots)
    assert world.names(snapshots, after) == ["d"]
    await snapshots.revert([await snapshots.patch(before, after)])
    assert world.read("d/f") == "inside\n"
    await snapshots.restore(after)
    assert os.readlink(world.tree / "d") == str(outside)
    assert (outside / "f").read_text() == "safe"


async def test_a_type_change_is_one_modified_file_with_one_hunk(world) -> None:
    world.commit(f="text\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    (world.tree / "f").unlink()
    (world.tree / "f").symlink_to("a")
    (change,) = await snapshots.changed(before, await tracked(snapshots))
    assert change.status == "modified"
    assert change.patch.endswith("@@ -1,1 +1,1 @@\n-text\n+a\n\\ No newline at end of file\n")


async def test_permissions_of_a_secret_stay_when_its_content_is_put_back(world) -> None:
    world.commit(a="1\n")
    secret = world.write("secret", "1\n")
    secret.chmod(0o600)
    snapshots = world.open()
    before = await tracked(snapshots)
    secret.write_text("2\n")
    await snapshots.restore(before)
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("1\n", 0o600)


async def test_repositories_inside_and_submodules_are_passed_over(world, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    world.git("init", "-q", cwd=other)
    (other / "f").write_text("1")
    world.git("add", "-A", cwd=other)
    world.git("commit", "-qm", "m", cwd=other)
    world.commit(a="1\n")
    world.git("submodule", "add", "-q", str(other), "module")
    world.git("clone", "-q", str(other), "nested")
    snapshots = world.open()
    before = await tracked(snapshots)
    assert world.names(snapshots, before) == [".gitmodules", "a"]
    world.write("module/f", "2")
    world.write("nested/f", "2")
    world.write("a", "2\n")
    assert (await snapshots.patch(before)).files == [f"{world.tree}/a"]
    await snapshots.restore(before)
    assert (world.read("a"), world.read("module/f"), world.read("nested/f")) == ("1\n", "2", "2")


async def test_a_directory_without_a_repository_works(world) -> None:
    world.write("a", "1\n")
    snapshots = world.open(worktree=Path("/"))
    before = await tracked(snapshots)
    world.write("a", "2\n")
    assert (await snapshots.patch(before)).files == [f"{world.tree}/a"]
    await snapshots.restore(before)
    assert world.read("a") == "1\n"
    assert not (world.tree / ".git").exists()


async def test_only_the_part_of_the_work_tree_that_was_opened_counts(world) -> None:
    world.commit(a="1\n", **{"sub/b": "1\n", "sub/deep/c": "1\n"})
    snapshots = world.open(directory=world.tree / "sub")
    before = await tracked(snapshots)
    assert world.names(snapshots, before) == ["sub/b", "sub/deep/c"]
    world.write("a", "2\n")
    world.write("sub/deep/c", "2\n")
    world.write(".gitignore", "*.log\n")
    world.write("sub/x.log", "1\n")
    assert (await snapshots.patch(before)).files == [f"{world.tree}/sub/deep/c"]
    await snapshots.restore(before)
    assert (world.read("a"), world.read("sub/deep/c")) == ("2\n", "1\n")
    assert (world.tree / "sub/x.log").exists()


@pytest.mark.parametrize(
    "damage",
    ["index", "HEAD", "config", "objects", "lock", "gitfile", "split", "sparse", "assume", "conflict", "intent"],
)
async def test_a_repository_in_any_state_is_no_obstacle_and_stays_as_it_is(world, damage: str) -> None:
    world.commit(a="1\n", **{"d/b": "1\n"})
    git = world.tree / ".git"
    match damage:
        case "index" | "HEAD" | "config":
            (git / damage).write_bytes(b"\0[broken")
        case "objects":
            shutil.rmtree(git / "objects")
        case "lock":
            (git / "index.lock").write_text("")
        case "gitfile":
            shutil.rmtree(git)
            git.write_text("gitdir: /nowhere\n")
        case "split":
            world.git("update-index", "--split-index")
        case "sparse":
            world.git("sparse-checkout", "set", "--no-cone", "/a")
            assert not (world.tree / "d").exists()
        case "assume":
            world.git("update-index", "--assume-unchanged", "a")
        case "conflict":
            blob = world.git("hash-object", "-w", "a").strip()
            lines = "".join(f"100644 {blob} {stage}\ta\n" for stage in (1, 2, 3))
            world.git("update-index", "--index-info", stdin=f"0 {'0' * 40}\ta\n{lines}")
        case "intent":
            world.write("new", "1\n")
            world.git("add", "-N", "new")
    state = everything(git) if git.is_dir() else {}
    snapshots = world.open()
    before = await tracked(snapshots)
    files = {
        str(path.relative_to(world.tree)): path.read_bytes() for path in world.tree.glob("[!.]*") if path.is_file()
    }
    world.write("a", "2\n")
    world.write("d/c", "2\n")
    assert (await snapshots.patch(before)).files == [f"{world.tree}/a", f"{world.tree}/d/c"]
    await snapshots.restore(before)
    assert {name: (world.tree / name).read_bytes() for name in files} == files
    assert not (world.tree / "d/c").exists()
    assert (everything(git) if git.is_dir() else {}) == state


async def test_a_linked_work_tree_is_a_tree_of_its_own(world, tmp_path) -> None:
    world.commit(a="1\n")
    (world.tree / ".git/info/exclude").write_text("ignored\n")
    linked = tmp_path / "linked"
    world.git("worktree", "add", "-q", str(linked))
    (linked / "ignored").write_text("x")
    snapshots = world.open(directory=linked, worktree=linked)
    before = await tracked(snapshots)
    assert world.names(snapshots, before) == ["a"]
    (linked / "a").write_text("2\n")
    await snapshots.restore(before)
    assert (linked / "a").read_text() == "1\n"


async def test_objects_named_in_another_way_are_not_shared(world) -> None:
    world.git("init", "-q", "--object-format=sha256")
    world.write("a", "1\n")
    world.git("add", "-A")
    snapshots = world.open()
    assert len(await tracked(snapshots)) == 40
    assert not (world.store / "objects/info/alternates").exists()


async def test_a_damaged_store_is_made_again_once(world) -> None:
    world.commit(a="1\n")
    snapshots = world.open()
    before = await tracked(snapshots)
    (world.store / "index").write_bytes(b"damaged")
    snapshots = world.open()
    assert await tracked(snapshots) == before


async def test_special_files_are_passed_over(world) -> None:
    world.commit(a="1\n", b="1\n")
    os.mkfifo(world.tree / "pipe")
    snapshots = world.open()
    before = await tracked(snapshots)
    (world.tree / "b").unlink()
    os.mkfifo(world.tree / "b")
    assert world.names(snapshots, await tracked(snapshots)) == ["a"]
    await snapshots.restore(before)
    assert world.read("b") == "1\n"


async def test_the_user_s_objects_are_shared_and_the_store_is_private(world) -> None:
    world.commit(a="1\n" * 1000)
    snapshots = world.open()
    await tracked(snapshots)
    assert (world.store / "objects/info/alternates").read_text() == f"{world.tree}/.git/objects\n"
    assert list((world.store / "objects").glob("??/*")) == []
    for private in (world.store, world.store.parent, world.store.parents[1]):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
