"""What goes wrong with snapshots."""

from opencode.core.errors import NotFound, Unavailable


class GitFailed(Exception):
    """A call of git did not do its work; the text is what it said. Stays inside this package."""


class GitUnusable(GitFailed):
    """Git is not installed, or did not end in time: trying again at each step would only cost more."""


class SnapshotNotFound(NotFound):
    """The snapshot was dropped for its age, or belongs to another directory."""

    def __init__(self, tree: str) -> None:
        super().__init__(f"Snapshot not found: {tree}. Snapshots are kept for seven days.")


class SnapshotFailed(Unavailable):
    """Files could not be read or put back; they are as they were before."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The snapshot could not be used: {reason}")
