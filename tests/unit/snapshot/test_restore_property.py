"""Any sequence of changes, back to any recorded point: equal byte for byte, with modes and links.

``SNAPSHOT_SEQUENCES=200`` runs the long form.
"""

import os
import random
import shutil
import stat
from pathlib import Path

import pytest

SEQUENCES = int(os.environ.get("SNAPSHOT_SEQUENCES", "20"))
STEPS = 8
NAMES = ["a", "b.txt", "sp ace", "ü", ":colon", "-dash", "*", "new\nline", 'qu"ote', "x/y", "x/z/deep", "x", "d/e/f/g"]
BYTE_NAMES = [os.fsdecode(b"latin\xe9"), *NAMES]

Manifest = dict[str, tuple[str, bytes]]


def manifest(root: Path) -> Manifest:
    """Every file and link: its kind with the executable bit, and its content."""
    found: Manifest = {}
    for folder, folders, files in os.walk(root):
        for name in [*files, *(each for each in folders if (Path(folder) / each).is_symlink())]:
            path = Path(folder) / name
            relative = str(path.relative_to(root))
            if path.is_symlink():
                found[relative] = ("link", os.fsencode(os.readlink(path)))
            elif not relative.startswith(".git/"):
                executable = path.stat().st_mode & stat.S_IXUSR
                found[relative] = ("executable" if executable else "file", path.read_bytes())
    return found


class Hand:
    """Makes one random change at a time."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)

    def change(self) -> None:
        acts = [self.write, self.write, self.replace, self.same_size, self.delete, self.mode, self.link, self.rename]
        self.random.choice([*acts, self.binary, self.swap, self.remove_folder])()

    def target(self, *, keep_file: bool = False) -> Path:
        """A path that can be written: what is in its way is removed."""
        path = self.root / self.random.choice(BYTE_NAMES)
        for parent in reversed(path.relative_to(self.root).parents[:-1]):
            if (self.root / parent).is_symlink() or (self.root / parent).is_file():
                (self.root / parent).unlink()
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path) and (path.is_symlink() or not keep_file):
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def files(self) -> list[Path]:
        return [self.root / name for name in sorted(manifest(self.root)) if (self.root / name).exists()]

    def content(self) -> bytes:
        return self.random.randbytes(4).hex().encode() + b"\r\n" * self.random.randint(0, 3)

    def write(self) -> None:
        self.target(keep_file=True).write_bytes(self.content())

    def binary(self) -> None:
        self.target().write_bytes(self.random.randbytes(self.random.randint(0, 5000)))

    def replace(self) -> None:
        """As editors write: a new file, renamed over the old one."""
        path = self.target()
        fresh = path.with_name("fresh")
        fresh.write_bytes(self.content())
        fresh.rename(path)

    def same_size(self) -> None:
        """Other content, same length, same modification time."""
        for path in self.files()[:1]:
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                path.write_bytes(self.random.randbytes(status.st_size))
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def pick(self) -> Path | None:
        files = self.files()
        return self.random.choice(files) if files else None

    def delete(self) -> None:
        if path := self.pick():
            path.unlink()

    def mode(self) -> None:
        path = self.pick()
        if path and not path.is_symlink():
            path.chmod(self.random.choice([0o644, 0o755]))

    def link(self) -> None:
        self.target().symlink_to(self.random.choice(["a", "nowhere", "x", "/etc", "..", "."]))

    def rename(self) -> None:
        if (path := self.pick()) and path.parent == self.root:
            target = self.target()
            if path.is_symlink() or path.is_file():
                path.rename(target)

    def swap(self) -> None:
        """A file becomes a directory or the other way round."""
        path = self.root / "x"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            path.write_bytes(self.content())
        else:
            if os.path.lexists(path):
                path.unlink()
            (path / "z").mkdir(parents=True)
            (path / "z" / "inner").write_bytes(self.content())

    def remove_folder(self) -> None:
        for name in ("x", "d"):
            path = self.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)


@pytest.mark.parametrize("seed", range(SEQUENCES))
async def test_every_recorded_point_can_be_restored(world, seed: int) -> None:
    world.commit(a="committed\n")
    hand = Hand(world.tree, seed)
    snapshots = world.open()
    points: list[tuple[str, Manifest]] = []
    for step in range(STEPS):
        for _ in range(hand.random.randint(0, 3)):
            hand.change()
        tree = await snapshots.track()
        assert tree is not None
        now = manifest(world.tree)
        for other, seen in points:
            assert (other == tree) == (seen == now), (seed, step)
        points.append((tree, now))
        if hand.random.random() < 0.2:
            snapshots = world.open()
            assert await snapshots.track() == tree
    hand.random.shuffle(points)
    for tree, seen in points[:5]:
        await snapshots.restore(tree)
        assert manifest(world.tree) == seen, seed
        assert await snapshots.track() == tree
        hand.change()


@pytest.mark.parametrize("seed", range(max(SEQUENCES // 4, 1)))
async def test_reverting_all_patches_gives_the_first_state_and_unreverting_the_last(world, seed: int) -> None:
    world.commit(a="committed\n")
    hand = Hand(world.tree, seed + 10_000)
    snapshots = world.open()
    before = await snapshots.track()
    first, patches = manifest(world.tree), []
    for _ in range(5):
        hand.change()
        assert before is not None
        after = await snapshots.track()
        patches.append(await snapshots.patch(before, after))
        before = after
    last = manifest(world.tree)
    await snapshots.revert(patches)
    assert manifest(world.tree) == first
    assert before is not None
    await snapshots.restore(before, only=[name for patch in patches for name in patch.files])
    assert manifest(world.tree) == last
