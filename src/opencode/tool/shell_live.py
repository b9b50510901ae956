"""Shows the state of something that changes often, at a bounded rate."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from opencode.core.tasks import task_group

INTERVAL_SECONDS = 0.1
LAST_REPORT_SECONDS = 0.5
"""How long the last report may take after a cancellation."""


class LiveReports:
    """Calls ``report`` soon after each change, at most once per interval, and a last time at the end."""

    def __init__(self, report: Callable[[], Awaitable[None]]) -> None:
        self._report = report
        self._changed = anyio.Event()

    def changed(self) -> None:
        """There is something new to show."""
        self._changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Report for as long as the block lasts; what changed last is reported even when the block is cancelled."""
        async with task_group() as tasks:
            tasks.start_soon(self._report_changes)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                with anyio.move_on_after(LAST_REPORT_SECONDS, shield=True):
                    if self._changed.is_set():
                        await self._report()

    async def _report_changes(self) -> None:
        while True:
            await self._changed.wait()
            # Finished even when cancelled meanwhile: a report that was begun must not come after the last one.
            with anyio.CancelScope(shield=True):
                self._changed = anyio.Event()
                await self._report()
            await anyio.sleep(INTERVAL_SECONDS)
