"""Where the user's own repository keeps its things, read without git: it may be broken, locked or not theirs."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode.project.git import Git

_OTHER_FORMAT = re.compile(r"objectformat\s*=\s*(?!sha1\b)\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UserRepository:
    """The git directory of a work tree, and the one it shares with other work trees of the repository."""

    git_directory: Path
    common_directory: Path

    @property
    def index(self) -> Path:
        return self.git_directory / "index"

    @property
    def objects(self) -> Path:
        return self.common_directory / "objects"

    @property
    def exclude(self) -> Path:
        return self.common_directory / "info" / "exclude"

    @property
    def has_our_format(self) -> bool:
        """Whether its objects have names of the kind the store uses, and a path that can be written down."""
        try:
            settings = (self.common_directory / "config").read_text("utf-8", "replace")
        except OSError:
            return False
        place = str(self.objects)
        return not _OTHER_FORMAT.search(settings) and "\n" not in place and not place.startswith(('"', "#"))


def find_user_repository(worktree: Path) -> UserRepository | None:
    """The repository of a work tree; None when there is none, or its ``.git`` leads nowhere."""
    own = worktree / ".git"
    try:
        if own.is_file():
            link = own.read_text("utf-8", "surrogateescape").strip()
            own = Path(os.path.normpath(worktree / link.removeprefix("gitdir: ")))
        if not own.is_dir():
            return None
        shared = own / "commondir"
        common = Path(os.path.normpath(own / shared.read_text().strip())) if shared.is_file() else own
    except (OSError, UnicodeDecodeError):
        return None
    return UserRepository(own, common)


async def user_excludes_file(worktree: Path, git: Git, environ: Mapping[str, str]) -> Path:
    """The file with the ignore rules of the user for all repositories; it need not exist."""
    lines = await git.lines(worktree, "config", "--type=path", "--get", "core.excludesFile")
    if lines:
        return Path(os.path.normpath(worktree / lines[0]))
    home = Path(environ.get("HOME") or Path.home())
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else home / ".config") / "git" / "ignore"


async def user_tracked(worktree: Path, git: Git) -> frozenset[bytes]:
    """The names that the user's repository tracks; none when it cannot tell."""
    done = await git.run(worktree, "-c", "safe.directory=*", "ls-files", "-z", "--full-name")
    if done is None or done.exit_code != 0 or done.truncated:
        return frozenset()
    return frozenset(done.stdout.split(b"\0")[:-1])
