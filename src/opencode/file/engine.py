"""What searches files: ripgrep, or its replacement in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from opencode.file.schema import FoundFiles, FoundLines


class SearchEngine(Protocol):
    """Lists and searches files below a directory.

    Hidden files count, ``.git`` does not, ignore files are respected (those of git within a repository). A glob
    that names something finds it even where an ignore file hides it, but not inside an ignored directory; one that
    catches everything (``*``, ``src/**``) does not reach what is ignored.
    """

    async def files(self, root: Path, globs: Sequence[str], *, limit: int) -> FoundFiles:
        """Paths relative to ``root``, in no order, at most ``limit``. Raises ``InvalidPattern``."""
        ...

    async def grep(
        self, root: Path, pattern: str, globs: Sequence[str], *, limit: int, per_file: int | None = None
    ) -> FoundLines:
        """Matching lines with absolute paths, at most ``limit``; ``root`` may be one file.

        Those of one file are together and in order. Raises ``InvalidPattern``.
        """
        ...
