"""What snapshots tell. The trees, patches and changes of one directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ChangeStatus = Literal["added", "deleted", "modified"]


@dataclass(frozen=True, slots=True)
class Patch:
    """Files that changed since the tree ``hash``: absolute paths, sorted, spelled as ``names.absolute`` does."""

    hash: str
    files: list[str]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs between two trees; ``file`` is relative to the worktree and uses ``/``.

    ``patch`` is a unified diff with the whole file as context; empty for a binary file, and for one that is too
    large. A binary file counts no lines.
    """

    file: str
    patch: str
    additions: int
    deletions: int
    status: ChangeStatus


@dataclass(frozen=True, slots=True)
class SnapshotUsage:
    """What the snapshots of one directory take on the disk. ``objects`` counts files of git's object store."""

    directory: Path
    bytes: int
    objects: int
    snapshots: int
    oldest_ms: int | None
