"""``/experimental/snapshot``: what the snapshots of a directory take on the disk."""

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.session.schema import Number


class SnapshotReport(Wire):
    """The snapshots of one directory, kept in ``directory``.

    ``objects``: files of its object store; ``oldest``: when the oldest snapshot was last used, in ms;
    ``reason``: what turned snapshots off, although they were wanted.
    """

    enabled: bool
    directory: str
    bytes: int
    objects: int
    snapshots: int
    oldest: Number | UnsetType = UNSET
    reason: str | UnsetType = UNSET


@operation("experimental.snapshot.get", "GET", "/experimental/snapshot", source="ours")
async def get_snapshots(instance: Instance) -> SnapshotReport:
    """What the snapshots of the directory take on the disk."""
    usage = await instance.snapshots.usage()
    return SnapshotReport(
        enabled=instance.snapshots.enabled,
        directory=str(usage.directory),
        bytes=usage.bytes,
        objects=usage.objects,
        snapshots=usage.snapshots,
        oldest=UNSET if usage.oldest_ms is None else usage.oldest_ms,
        reason=instance.snapshots.off_because or UNSET,
    )


operations = (get_snapshots,)
