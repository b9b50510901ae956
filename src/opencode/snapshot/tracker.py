"""Brings the store's index up to date with the work tree, doing as little as the kind of change allows."""

import time
from contextlib import suppress
from dataclasses import dataclass, field

from anyio.to_thread import run_sync

from opencode.snapshot.errors import GitFailed
from opencode.snapshot.ignore_rules import IgnoreRules, has_rules
from opencode.snapshot.index import ShadowIndex
from opencode.snapshot.memory import Memory
from opencode.snapshot.stamps import Stamp, is_backdated, is_storable, stamp_of
from opencode.snapshot.surroundings import Surroundings

UNTRACKED_LIMIT_BYTES = 2 * 1024 * 1024
"""Larger files that are new are left out (spec: snapshots, section 2)."""
TRACKED_LIMIT_BYTES = 64 * 1024 * 1024
"""Files that grow beyond this are left out from then on."""
ADD_LIMIT_FILES = 100_000
ADD_LIMIT_BYTES = 4 * 1024 * 1024 * 1024

INLINE_LIMIT = 200
"""More files than this are looked at in a thread."""


class TooMuch(Exception):
    """More new files than snapshots are meant for."""


@dataclass(slots=True)
class _Found:
    """What differs from the index: names it holds, and names it does not; whether the ignore rules may differ."""

    suspects: list[bytes]
    new: list[bytes] = field(default_factory=list)
    has_other_rules: bool = False


@dataclass(slots=True)
class _Sorted:
    """What to do with the names found."""

    present: list[bytes] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    doubtful: list[bytes] = field(default_factory=list)
    too_large: dict[bytes, Stamp] = field(default_factory=dict)
    total_bytes: int = 0


class Tracker:
    """Owns the index between two looks. Not safe for two tasks at once."""

    def __init__(self, index: ShadowIndex, around: Surroundings, rules: IgnoreRules) -> None:
        self._index = index
        self._around = around
        self._rules = rules
        self._memory: Memory | None = None
        self._adopted: list[bytes] = []
        self._is_too_large = False

    async def adopt_tracked(self) -> None:
        """Take in with the next tree what the user's repository tracks, be it ignored or large."""
        tracked = await self._around.user_tracked()
        self._adopted = await run_sync(self._around.storable, list(tracked))

    async def tree(self) -> str:
        """The tree of the files as they are. Raises ``GitFailed``, ``OSError``, ``TooMuch``."""
        memory, self._memory = self._memory, None  # stays forgotten when this fails or is cancelled
        since_ns = time.time_ns()
        found = await self._find(memory)
        plan = await self._sorted(found)
        # Without a memory it was git that found them: it sees that they differ.
        await self._index.put(plan.present, plan.gone, plan.doubtful if memory else ())
        if found.has_other_rules:
            await self._drop_ignored()
        tree = await self._index.tree()
        if not self._is_too_large:
            with suppress(GitFailed):  # the tree stands; the next look asks git
                self._memory = await self._remembered(None if found.has_other_rules else memory, plan, since_ns)
                self._is_too_large = self._memory is None
        return tree

    async def _remembered(self, memory: Memory | None, plan: _Sorted, since_ns: int) -> Memory | None:
        if memory is None:
            return await Memory.begin(self._index, self._around, since_ns)
        return await memory.accept(plan.present, plan.gone, since_ns)

    async def _find(self, memory: Memory | None) -> _Found:
        must_list = self._take_back_shrunken() or memory is None
        other_rules = self._rules.refresh()
        if memory is not None:
            suspects = await memory.suspects()
        else:
            suspects = await self._index.changed() if self._index.exists else []
        found = _Found(suspects, has_other_rules=other_rules or has_rules(suspects))
        if memory is not None:
            found.suspects = [name for name in suspects if memory.is_tracked(name)]
            must_list = await memory.has_new_names() or must_list
        if must_list or found.has_other_rules:
            found.new = await self._index.untracked()
            found.has_other_rules = found.has_other_rules or has_rules(found.new)
        found.suspects += self._adopted
        self._adopted = []
        return found

    async def _sorted(self, found: _Found) -> _Sorted:
        if len(found.suspects) + len(found.new) <= INLINE_LIMIT:
            return self._sort(found)
        return await run_sync(self._sort, found)

    def _sort(self, found: _Found) -> _Sorted:
        """Decide what goes into the index, within the limits. Raises ``TooMuch``."""
        plan = _Sorted()
        for name in found.suspects:
            self._place(name, TRACKED_LIMIT_BYTES, plan)
        storable = set(self._around.storable(plan.present))
        # Reached through a link it is no longer there; unreadable it stays what it was.
        plan.gone += [name for name in plan.present if name not in storable and not self._around.is_present(name)]
        plan.present = [name for name in plan.present if name in storable]
        plan.doubtful = [name for name in plan.doubtful if name in storable]
        new = _Sorted(total_bytes=plan.total_bytes)
        for name in found.new:
            self._place(name, UNTRACKED_LIMIT_BYTES, new)
        plan.present += self._around.storable(new.present)
        if len(plan.present) > ADD_LIMIT_FILES or new.total_bytes > ADD_LIMIT_BYTES:
            raise TooMuch(f"{len(plan.present)} files with {new.total_bytes} bytes")
        if large := {**plan.too_large, **new.too_large}:
            self._rules.leave_out(large)
        return plan

    def _place(self, name: bytes, limit_bytes: int, plan: _Sorted) -> None:
        stamp = stamp_of(self._around.path(name))
        if not is_storable(stamp):
            plan.gone.append(name)
        elif stamp[2] > limit_bytes:
            plan.gone.append(name)
            plan.too_large[name] = stamp
        else:
            plan.present.append(name)
            if is_backdated(stamp):
                plan.doubtful.append(name)
            plan.total_bytes += stamp[2]

    async def _drop_ignored(self) -> None:
        """Let go of files that a rule ignores by now, except those that the user's repository tracks all the same."""
        ignored = await self._index.tracked_but_ignored()
        if ignored:
            theirs = await self._around.user_tracked()
            await self._index.put([], [name for name in ignored if name not in theirs])

    def _take_back_shrunken(self) -> bool:
        """Whether a file that was left out is gone or small enough by now."""
        back = [name for name in self._rules.left_out if stamp_of(self._around.path(name))[2] <= UNTRACKED_LIMIT_BYTES]
        if back:
            self._rules.take_back(back)
        return bool(back)
