"""What the version control of a directory says about its branches (spec: project and worktree, section 6)."""

import os
from pathlib import Path

import anyio

from opencode.core.text_file import read_text
from opencode.core.wire import UNSET
from opencode.project.git import Git
from opencode.project.schema import Project, VcsInfo

DETACHED = "HEAD"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The one that git knows without its being stored."""
_BRANCHES = "refs/heads/"
_FALLBACKS = ("main", "master")


class Vcs:
    """The branches of one directory's repository; of nothing, when it has none."""

    def __init__(self, directory: Path, worktree: Path, project: Project, git: Git) -> None:
        self._directory = directory
        self._worktree = worktree
        self._is_git = project.vcs is not UNSET
        self._git = git

    async def info(self) -> VcsInfo:
        """The current and the default branch. Source: operation ``vcs.get``."""
        if not self._is_git:
            return VcsInfo()
        branch = await self.branch()
        return VcsInfo(branch=branch, default_branch=await self.default_branch())

    async def branch(self) -> str | None:
        """The branch that is checked out, also one without commits; ``HEAD`` when it is detached.

        None without a repository.
        """
        if not self._is_git:
            return None
        head = read_head(self._worktree)
        if head is None or head.endswith("/.invalid"):
            # Kept in another way than as a file, as with reftables.
            lines = await self._git.lines(self._worktree, "symbolic-ref", "--quiet", "HEAD")
            head = f"ref: {lines[0]}" if lines else ""
        return head.removeprefix("ref: ").removeprefix(_BRANCHES) if head.startswith("ref: ") else DETACHED

    async def committed_tree(self) -> str | None:
        """The hash of the tree of the commit that is checked out, of the empty one before there is a commit.

        None without a repository.
        """
        if not self._is_git:
            return None
        lines = await self._git.lines(self._worktree, "rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        return lines[0] if lines else EMPTY_TREE

    async def default_branch(self) -> str | None:
        """The branch that others start from.

        What the remote says (``origin``, the only one, ``upstream`` or the first); else ``init.defaultBranch``,
        ``main`` or ``master``, if there is such a branch; else None.
        """
        settings: list[str] = []
        references: list[str] = []

        async def read_settings() -> None:
            pattern = r"^(remote\..*\.(url|fetch)|init\.defaultbranch)$"
            settings.extend(await self._git.lines(self._worktree, "config", "--get-regexp", pattern) or [])

        async def read_references() -> None:
            wanted = ("refs/remotes/*/HEAD", *(_BRANCHES + name for name in _FALLBACKS))
            found = await self._git.lines(self._worktree, "for-each-ref", "--format=%(refname) %(symref)", *wanted)
            references.extend(found or [])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_settings)
            tasks.start_soon(read_references)
        return await self._choose(settings, dict(line.partition(" ")[::2] for line in references))

    async def _choose(self, settings: list[str], references: dict[str, str]) -> str | None:
        remote = choose_remote(settings)
        prefix = f"refs/remotes/{remote}/"
        if remote is not None and references.get(prefix + "HEAD", "").startswith(prefix):
            return references[prefix + "HEAD"].removeprefix(prefix)
        configured = [line.partition(" ")[2] for line in settings if line.startswith("init.defaultbranch ")]
        for name in (*configured[-1:], *_FALLBACKS):
            if _BRANCHES + name in references or (name not in _FALLBACKS and await self._exists(name)):
                return name
        return None

    async def _exists(self, branch: str) -> bool:
        done = await self._git.run(self._worktree, "show-ref", "--verify", "--quiet", _BRANCHES + branch)
        return done is not None and done.exit_code == 0


def choose_remote(settings: list[str]) -> str | None:
    """The remote that counts, from lines such as ``remote.origin.url ...``."""
    keys = [line.partition(" ")[0] for line in settings if line.startswith("remote.")]
    remotes = list(dict.fromkeys(key.removeprefix("remote.").rpartition(".")[0] for key in keys))
    if "origin" in remotes or len(remotes) == 0:
        return "origin" if remotes else None
    return "upstream" if len(remotes) > 1 and "upstream" in remotes else remotes[0]


def read_head(worktree: Path) -> str | None:
    """The content of ``HEAD``, read without git; None when it is not there as a file."""
    git = worktree / ".git"
    try:
        if git.is_file():
            link = read_text(git).strip()
            git = Path(os.path.normpath(worktree / link.removeprefix("gitdir: ")))
        return read_text(git / "HEAD").strip()
    except OSError:
        return None
