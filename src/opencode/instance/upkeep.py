"""What has to be done in a directory now and then, as long as it is open."""

import anyio

from opencode.instance.ground import Ground

FIRST_AFTER_SECONDS = 60
EVERY_SECONDS = 3600


async def let_go_of_old_snapshots(
    ground: Ground, first_after: float = FIRST_AFTER_SECONDS, every: float = EVERY_SECONDS
) -> None:
    """Clean the snapshots every hour, without end; those that a session can be taken forward to stay."""
    await anyio.sleep(first_after)
    while True:
        await ground.snapshots.cleanup(ground.store.reverted_trees())
        await anyio.sleep(every)
