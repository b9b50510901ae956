"""Bounds what a store takes on the disk, and tells what it takes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from opencode.snapshot.errors import GitFailed
from opencode.snapshot.schema import SnapshotUsage
from opencode.snapshot.shadow_git import ShadowGit
from opencode.snapshot.store import kept, release

KEEP_MS = 7 * 24 * 3600 * 1000
KEEP_SNAPSHOTS = 5_000
STORE_LIMIT_BYTES = 4 * 1024 * 1024 * 1024
"""Beyond this, old snapshots go before their time."""
GRACE = "1.hour.ago"
"""Objects younger than this are never collected: a snapshot that is just being taken may need them."""
TIMEOUT_SECONDS = 1_800.0
_LOOSE_LIMIT = 1_000
_PACKS_LIMIT = 10


async def measure(store: Path) -> SnapshotUsage:
    """What the store takes; read in a thread."""
    return await run_sync(_measure, store)


async def clean(git: ShadowGit, in_use: frozenset[str], now_ms: int, lock: anyio.Lock) -> SnapshotUsage:
    """Let go of old snapshots, except those in use, and collect what nothing needs any more.

    Objects are collected only when there is something to gain. Snapshots can be taken meanwhile, except while a
    store that is too large is emptied, which holds the ``lock``. Raises ``GitFailed``.
    """
    store = git.store
    expired = [tree for tree in _expired(kept(store), now_ms) if tree not in in_use]
    for tree in expired:
        release(store, tree)
    usage = await measure(store)
    loose, packs = await run_sync(_count, store)
    if not expired and loose <= _LOOSE_LIMIT and packs <= _PACKS_LIMIT and usage.bytes <= STORE_LIMIT_BYTES:
        return usage
    await _collect(git)
    usage = await measure(store)
    if usage.bytes > STORE_LIMIT_BYTES and await _release_older_half(store, in_use):
        async with lock:
            await _collect(git, grace="now")
        usage = await measure(store)
    return usage


async def _collect(git: ShadowGit, grace: str = GRACE) -> None:
    try:
        await git.output("gc", "--quiet", f"--prune={grace}", timeout_seconds=TIMEOUT_SECONDS)
    except GitFailed:
        # A snapshot lost objects that it shared with the user's repository: it can never be put back.
        if not await _release_broken(git):
            raise
        await git.output("gc", "--quiet", f"--prune={grace}", timeout_seconds=TIMEOUT_SECONDS)


async def _release_broken(git: ShadowGit) -> bool:
    """Let go of the snapshots that are no longer whole; whether there were any."""
    broken = []
    for tree in kept(git.store):
        try:
            await git.output("rev-list", "--objects", "--quiet", tree)
        except GitFailed:
            broken.append(tree)
    for tree in broken:
        release(git.store, tree)
    return bool(broken)


async def _release_older_half(store: Path, in_use: frozenset[str]) -> bool:
    by_age = sorted(kept(store).items(), key=lambda item: item[1])
    older = [tree for tree, _ in by_age[: len(by_age) // 2] if tree not in in_use]
    for tree in older:
        release(store, tree)
    return bool(older)


def _expired(snapshots: dict[str, int], now_ms: int) -> list[str]:
    before_ms = now_ms - KEEP_MS
    newest_first = sorted(snapshots, key=lambda tree: snapshots[tree], reverse=True)
    old = [tree for tree in newest_first[:KEEP_SNAPSHOTS] if snapshots[tree] < before_ms]
    return old + newest_first[KEEP_SNAPSHOTS:]


def _measure(store: Path) -> SnapshotUsage:
    total = objects = 0
    for entry in _files(store):
        with suppress(OSError):
            total += entry.stat(follow_symlinks=False).st_blocks * 512
            objects += "objects" in entry.path
    snapshots = kept(store)
    return SnapshotUsage(store, total, objects, len(snapshots), min(snapshots.values(), default=None))


def _count(store: Path) -> tuple[int, int]:
    """Objects in files of their own, and packs."""
    packs = loose = 0
    for entry in _files(store / "objects"):
        packs += entry.name.endswith(".pack")
        loose += len(entry.name) >= 38 and "." not in entry.name
    return loose, packs


def _files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry
