"""The store's index: what it holds, how it differs from the work tree, and the tree it makes."""

import os
from collections.abc import Iterable
from pathlib import Path

from opencode.snapshot import names
from opencode.snapshot.shadow_git import FIRST_TIMEOUT_SECONDS, INDEX, ShadowGit
from opencode.snapshot.stamps import MISSING, Stamp, stamp_of

MANY = 500
"""From so many new files on, their contents go into one pack instead of a file each."""
LISTING_BYTES = 256 * 1024 * 1024
_NO_OBJECT = b"0" * 40
_EMPTY_FILE = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


class ShadowIndex:
    """Reads and writes the index of a store, for the part of the work tree below ``scope`` (empty: all of it)."""

    def __init__(self, git: ShadowGit, scope: bytes) -> None:
        self._git = git
        self._path: Path = git.store / INDEX
        self._below = ("--", f":(literal){os.fsdecode(scope)}") if scope else ()
        self._written: tuple[Stamp, str] | None = None

    @property
    def exists(self) -> bool:
        return stamp_of(self._path) != MISSING

    async def tracked(self) -> list[bytes]:
        """Every name it holds."""
        return names.split(await self._git.output("ls-files", "-z", limit_bytes=LISTING_BYTES))

    async def changed(self) -> list[bytes]:
        """Names it holds whose files are gone or may have other content."""
        arguments = ("diff-files", "--name-only", "--ignore-submodules=all", "-z", *self._below)
        return names.split(await self._git.output(*arguments, limit_bytes=LISTING_BYTES))

    async def untracked(self) -> list[bytes]:
        """Files it does not hold and no rule ignores. Repositories inside the work tree are passed over."""
        arguments = ("ls-files", "--others", "--exclude-standard", "--full-name", "-z", *self._below)
        found = names.split(await self._git.output(*arguments, limit_bytes=LISTING_BYTES))
        return [name for name in found if not name.endswith(b"/")]

    async def tracked_but_ignored(self) -> list[bytes]:
        """Names it holds that a rule ignores."""
        arguments = ("ls-files", "--cached", "--ignored", "--exclude-standard", "-z", *self._below)
        return names.split(await self._git.output(*arguments, limit_bytes=LISTING_BYTES))

    async def ignored(self, candidates: list[bytes], *, even_if_held: bool = False) -> set[bytes]:
        """Those of the names that a rule ignores and, unless ``even_if_held``, the index does not hold."""
        if not candidates:
            return set()
        options = ("--no-index",) if even_if_held else ()
        # Behind the dot a colon is no magic.
        asked = names.joined(b"./" + name for name in candidates)
        output = await self._git.output("check-ignore", *options, "-z", "--stdin", stdin=asked, accept=(0, 1))
        return {name.removeprefix(b"./") for name in names.split(output)}

    async def put(self, present: list[bytes], gone: list[bytes], doubtful: Iterable[bytes] = ()) -> None:
        """Take in the content of files, and let go of names.

        Git compares times by the second only: the ``doubtful`` among the present are read even if they look the same.
        """
        self._git.unlock()
        removed = b"".join(b"0 " + _NO_OBJECT + b"\t" + name + b"\0" for name in gone)
        emptied = b"".join(b"100644 " + _EMPTY_FILE + b"\t" + name + b"\0" for name in doubtful)
        if removed or emptied:
            await self._git.output("update-index", "-z", "--index-info", stdin=removed + emptied)
        if present:
            options = ("-c", "core.bigFileThreshold=1") if len(present) >= MANY else ()
            await self._git.output(
                *options,
                *("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
                stdin=names.joined(present),
                timeout_seconds=FIRST_TIMEOUT_SECONDS,
            )

    async def tree(self) -> str:
        """The hash of the tree it describes; costs nothing while it stays as it was."""
        stamp = stamp_of(self._path)
        if self._written is None or self._written[0] != stamp:
            self._git.unlock()
            output = await self._git.output("write-tree", timeout_seconds=FIRST_TIMEOUT_SECONDS)
            # Writing the tree also notes its parts in the index.
            self._written = (stamp_of(self._path), output.decode("ascii").strip())
        return self._written[1]

    def discard(self) -> None:
        """Begin again with nothing."""
        self._git.unlock()
        self._path.unlink(missing_ok=True)
        self._written = None
