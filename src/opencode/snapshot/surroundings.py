"""The work tree that snapshots are taken of, and the user's repository around it."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from opencode.project.git import Git
from opencode.snapshot import user_repository
from opencode.snapshot.stamps import is_storable, stamp_of
from opencode.snapshot.user_repository import UserRepository


class Surroundings:
    """Paths of a work tree; names in it are bytes, relative, with ``/``. ``scope`` is the part that counts."""

    def __init__(self, directory: Path, worktree: Path, git: Git, environ: Mapping[str, str]) -> None:
        is_inside = worktree != Path("/") and directory.is_relative_to(worktree)
        self.worktree = worktree if is_inside else directory
        self.scope = os.fsencode(directory.relative_to(self.worktree)) if self.worktree != directory else b""
        self.user: UserRepository | None = user_repository.find_user_repository(self.worktree)
        self._root = os.fsencode(self.worktree).rstrip(b"/") + b"/"
        self._git = git
        self._environ = environ

    def path(self, name: bytes) -> bytes:
        """The absolute path of a name."""
        return self._root + name

    def file(self, name: bytes) -> Path:
        """The same as a path object."""
        return Path(os.fsdecode(self._root + name))

    def is_in_scope(self, name: bytes) -> bool:
        return not self.scope or name.startswith(self.scope + b"/")

    def outer_rule_files(self) -> list[bytes]:
        """Names of the ignore rules between the top of the work tree and the part that counts."""
        folders = self.scope.split(b"/") if self.scope else []
        return [b"/".join([*folders[:depth], b".gitignore"]) for depth in range(len(folders))]

    async def rule_sources(self) -> list[Path]:
        """Files outside the work tree with the user's ignore rules, weakest first."""
        everywhere = await user_repository.user_excludes_file(self.worktree, self._git, self._environ)
        return [everywhere, self.user.exclude] if self.user else [everywhere]

    async def user_tracked(self) -> frozenset[bytes]:
        """Names in scope that the user's repository tracks; none when it cannot tell."""
        if self.user is None:
            return frozenset()
        tracked = await user_repository.user_tracked(self.worktree, self._git)
        return frozenset(name for name in tracked if self.is_in_scope(name)) if self.scope else tracked

    def storable(self, found: list[bytes]) -> list[bytes]:
        """Those that git can take in: files that may be read, and links, not reached through another link."""
        linked: dict[bytes, bool] = {b"": False}
        return [name for name in found if self._is_readable(name) and not self._is_linked(_parent(name), linked)]

    def is_present(self, name: bytes) -> bool:
        """Whether a file or link of that name is there, not reached through a link."""
        return is_storable(stamp_of(self.path(name))) and not self._is_linked(_parent(name), {b"": False})

    def _is_readable(self, name: bytes) -> bool:
        path = self.path(name)
        return os.access(path, os.R_OK) or stat.S_ISLNK(stamp_of(path)[3])

    def _is_linked(self, folder: bytes, known: dict[bytes, bool]) -> bool:
        if folder not in known:
            known[folder] = stat.S_ISLNK(stamp_of(self.path(folder))[3]) or self._is_linked(_parent(folder), known)
        return known[folder]


def _parent(name: bytes) -> bytes:
    return name.rpartition(b"/")[0]
