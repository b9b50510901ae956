"""The trees before and after one step, and what lies between them (spec: snapshots, section 4)."""

import anyio

from opencode.snapshot.schema import Patch
from opencode.snapshot.service import SnapshotService


class StepSnapshots:
    """Takes the tree before a step beside the model's call, and the tree after it."""

    def __init__(self, snapshots: SnapshotService) -> None:
        self._snapshots = snapshots
        self._taken = anyio.Event()
        self._before: str | None = None

    async def take_before(self) -> None:
        """Take the tree as it is before any tool runs; not again when the model is called again."""
        if not self._taken.is_set():
            self._before = await self._snapshots.track()
            self._taken.set()

    async def before(self) -> str | None:
        """The tree before the step, as soon as it is taken; None where there are no snapshots."""
        await self._taken.wait()
        return self._before

    async def after(self) -> str | None:
        """The tree as it is now."""
        return await self._snapshots.track()

    async def patch(self, after: str | None = None) -> Patch | None:
        """What changed since the tree before, until a tree or now; None when nothing did, and from then on."""
        before, self._before = self._before, None
        if before is None or before == after:
            return None
        patch = await self._snapshots.patch(before, after)
        return patch if patch.files else None
