"""What can go wrong with files beyond ``OSError``."""

from pathlib import Path

from opencode.core.errors import Conflict, Invalid


class InvalidPattern(Invalid):
    """The glob or regular expression cannot be understood; the message says where."""


class FileTooLarge(Invalid):
    """The file is too large to be held in memory for this purpose."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        super().__init__(f"File is larger than {limit_bytes // (1024 * 1024)} MiB: {path}")


class FileChanged(Conflict):
    """The file is not what it was when the change was computed, so the change was not written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"File was changed by someone else in the meantime: {path}. Read it again.")


class OutsideProject(Invalid):
    """The path leads out of the project."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Access denied: path is outside the project: {path}")


class Unreadable(Invalid):
    """The path cannot be followed, or what is there may not be read."""

    def __init__(self, path: str, error: OSError | ValueError) -> None:
        reason = error.strerror if isinstance(error, OSError) else None
        super().__init__(f"Cannot read {path}: {reason or error}")


class NotAFile(Invalid):
    """The path leads to a directory, or to something else that has no content."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Not a file: {path}")
