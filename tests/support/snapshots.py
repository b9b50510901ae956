"""Snapshots for tests that are about something else."""

from pathlib import Path

from opencode.project.git import Git
from opencode.snapshot.service import SnapshotService, open_snapshots


def without_snapshots(directory: Path) -> SnapshotService:
    """Snapshots that are switched off."""
    return open_snapshots(
        data=directory, project_id="p", directory=directory, worktree=directory, git=Git({}), environ={}, enabled=False
    )
