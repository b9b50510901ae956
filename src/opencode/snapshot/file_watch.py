"""Notices which known files may have changed, at the price of one look at each."""

import os
from collections.abc import Iterable
from pathlib import Path

from anyio.lowlevel import checkpoint

from opencode.snapshot.stamps import Stamp, is_settled, stamp_of

LIMIT = 1_500
"""With more files than this, git looks faster, and not on the event loop."""
SLICE = 250
"""So many looks, about half a millisecond, before others may run."""


class FileWatch:
    """The stamps that files had when their content was last taken in."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root).rstrip(b"/") + b"/"
        self._stamps: dict[bytes, Stamp | None] = {}

    def __len__(self) -> int:
        return len(self._stamps)

    def __contains__(self, name: bytes) -> bool:
        return name in self._stamps

    async def suspects(self) -> list[bytes]:
        """Files that are gone, look different, or were too young at the last look to be sure of."""
        found = []
        for count, (name, stamp) in enumerate(list(self._stamps.items()), 1):
            if stamp is None or stamp_of(self._root + name) != stamp:
                found.append(name)
            if count % SLICE == 0:
                await checkpoint()
        return found

    async def watch(self, files: Iterable[bytes], since_ns: int) -> None:
        """Note files whose content was taken in after ``since_ns``."""
        for count, name in enumerate(files, 1):
            stamp = stamp_of(self._root + name)
            self._stamps[name] = stamp if is_settled(stamp, since_ns) else None
            if count % SLICE == 0:
                await checkpoint()

    def forget(self, files: Iterable[bytes]) -> None:
        """Watch these no longer."""
        for name in files:
            self._stamps.pop(name, None)
