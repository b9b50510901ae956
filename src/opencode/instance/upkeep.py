"""What has to be done in a directory now and then, as long as it is open."""

import anyio

from opencode.instance.ground import Ground
from opencode.snapshot.store import remove_stores

FIRST_AFTER_SECONDS = 60
EVERY_SECONDS = 3600
STORE_AGE_MS = 30 * 24 * 3600 * 1000


async def let_go_of_old_snapshots(
    ground: Ground, first_after: float = FIRST_AFTER_SECONDS, every: float = EVERY_SECONDS
) -> None:
    """Clean the snapshots every hour, without end; those that a session can be taken forward to stay.

    What other directories left, and nobody opened for ``STORE_AGE_MS``, goes as a whole.
    """
    shared = ground.shared
    await anyio.sleep(first_after)
    while True:
        await ground.snapshots.cleanup(ground.store.reverted_trees())
        await anyio.to_thread.run_sync(remove_stores, shared.paths.data, shared.clock.now_ms() - STORE_AGE_MS)
        await anyio.sleep(every)
