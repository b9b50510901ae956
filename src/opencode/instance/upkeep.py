"""What has to be done in a directory now and then, as long as it is open."""

from collections.abc import Awaitable, Callable

import anyio

from opencode.instance.ground import Ground
from opencode.snapshot.store import remove_stores

FIRST_AFTER_SECONDS = 60
EVERY_SECONDS = 3600
STORE_AGE_MS = 30 * 24 * 3600 * 1000

Pause = Callable[[float], Awaitable[object]]


async def let_go_of_old_snapshots(ground: Ground, pause: Pause = anyio.sleep) -> None:
    """Clean the snapshots after a minute and then every hour, without end; those that a session can be taken forward
    to stay.

    What other directories left, and nobody opened for ``STORE_AGE_MS``, goes as a whole.
    """
    shared = ground.shared
    await pause(FIRST_AFTER_SECONDS)
    while True:
        now_ms = shared.clock.now_ms()
        await ground.snapshots.cleanup(now_ms, ground.store.reverted_trees())
        await anyio.to_thread.run_sync(remove_stores, shared.paths.data, now_ms - STORE_AGE_MS)
        await pause(EVERY_SECONDS)
