"""The one way from a path that a client names to a file on disk."""

import os
from pathlib import Path

from opencode.file.errors import OutsideProject, Unreadable


class FileGateway:
    """Lets paths through that are inside the project, symbolic links followed."""

    def __init__(self, directory: Path, worktree: Path) -> None:
        self.directory = directory
        self.worktree = worktree
        roots = [directory] if str(worktree) == "/" else [directory, worktree]
        self._roots = [os.path.realpath(root) for root in roots]

    def resolve(self, path: str) -> Path:
        """The real path of what a client names, relative to the directory. Raises ``OutsideProject``, ``Unreadable``.

        Open this one, not the path that was named: a link that is changed in between does not matter then.
        """
        try:
            real = Path(os.path.realpath(self.directory / path))
        except (OSError, ValueError) as error:  # a link that may not be followed; a NUL
            raise Unreadable(path, error) from error
        if not any(real.is_relative_to(root) for root in self._roots):
            raise OutsideProject(path)
        return real
