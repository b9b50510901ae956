"""Starts a store from the user's index and objects, so that a large repository is not read and stored again."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from opencode.snapshot import names
from opencode.snapshot.errors import GitFailed
from opencode.snapshot.index import LISTING_BYTES
from opencode.snapshot.shadow_git import INDEX, ShadowGit
from opencode.snapshot.user_repository import UserRepository

_FILE_MODES = frozenset({b"100644", b"100755", b"120000"})
_REPOSITORY_MODE = b"160000"


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: bytes
    mode: bytes
    object: bytes
    stage: bytes
    name: bytes

    @classmethod
    def parse(cls, line: bytes) -> "_Entry":
        """From ``H 100644 <object> 0<tab><name>``."""
        head, _, name = line.partition(b"\t")
        tag, mode, digest, stage = head.split(b" ")
        return cls(tag, mode, digest, stage, name)

    @property
    def is_plain(self) -> bool:
        """Whether git would notice a change of the file: not in conflict, sparse, or promised to stay unchanged."""
        return self.tag == b"H" and self.stage == b"0" and self.mode in _FILE_MODES | {_REPOSITORY_MODE}


async def seed(git: ShadowGit, user: UserRepository, scope: bytes) -> bool:
    """Copy the user's index and share the objects. False, and nothing is left, when that cannot be trusted.

    Not trusted are an index that git cannot read by itself (split, sparse, damaged), entries that hide changes,
    and objects that are not there (partial clone, damaged repository).
    """
    if not user.has_our_format:
        return False
    try:
        # With its time, by which git knows which files it must not believe.
        await run_sync(shutil.copy2, user.index, git.store / INDEX)
        _alternates(git).write_text(f"{user.objects}\n", "utf-8", "surrogateescape")
        if await _take_over(git, scope):
            return True
    except (OSError, GitFailed, ValueError):
        pass
    unseed(git)
    return False


def unseed(git: ShadowGit) -> None:
    """No longer use anything of the user's repository; the index begins again with nothing."""
    git.unlock()
    for path in (git.store / INDEX, _alternates(git)):
        with suppress(OSError):
            path.unlink()


async def _take_over(git: ShadowGit, scope: bytes) -> bool:
    listing = await git.output("ls-files", "-z", "-s", "-v", limit_bytes=LISTING_BYTES)
    entries = [_Entry.parse(line) for line in names.split(listing)]
    if not all(entry.is_plain for entry in entries):
        return False
    held = [entry for entry in entries if entry.mode in _FILE_MODES and _is_below(entry.name, scope)]
    if not await _exist(git, {entry.object for entry in held}):
        return False
    wanted = {entry.name for entry in held}
    if others := [entry.name for entry in entries if entry.name not in wanted]:
        await git.output("update-index", "--force-remove", "-z", "--stdin", stdin=names.joined(others))
    return True


async def _exist(git: ShadowGit, objects: set[bytes]) -> bool:
    query = b"".join(digest + b"\n" for digest in objects)
    answer = await git.output("cat-file", "--batch-check=%(objecttype)", "--buffer", stdin=query)
    return answer.count(b"blob\n") == len(objects)


def _is_below(name: bytes, scope: bytes) -> bool:
    return not scope or name.startswith(scope + b"/")


def _alternates(git: ShadowGit) -> Path:
    return git.store / "objects" / "info" / "alternates"
