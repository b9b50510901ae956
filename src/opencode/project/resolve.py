"""Which repository a directory belongs to (spec: project and worktree, section 2)."""

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from opencode.core.ids import ProjectID
from opencode.core.text_file import read_text
from opencode.project.git import Git
from opencode.project.schema import GLOBAL

ID_FILE = "opencode"
"""In the ``.git`` directory: the project's id, so that the history is walked only once."""
ROOT = Path("/")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What makes git's answer differ from the plain look of a repository.
_UNUSUAL = re.compile(r"worktree|bare\s*=\s*(?!false\b)\S|\[include", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a directory belongs.

    ``sandbox`` is the top of its own work tree, ``worktree`` that of the repository's main one; they differ in a
    linked worktree. Both are ``/`` outside of version control.
    """

    id: ProjectID
    worktree: Path
    sandbox: Path
    is_git: bool


async def resolve_directory(directory: Path, git: Git, *, fake_git: bool = False) -> Resolution:
    """The repository of a directory, which need not exist.

    The id is that of the first root commit, by order of the hashes; ``global`` without commits. ``fake_git``: say
    git where git itself cannot tell.
    """
    sandbox = find_repository(directory)
    if sandbox is None:
        return Resolution(GLOBAL, ROOT, ROOT, fake_git)
    cached = read_cached_id(sandbox)
    if cached is not None and is_plain(sandbox):
        return Resolution(cached, sandbox, sandbox, is_git=True)
    roots, places = await _ask(sandbox, git, cached)
    if roots is None:
        return Resolution(GLOBAL, sandbox, sandbox, fake_git)
    if not roots:
        return Resolution(GLOBAL, sandbox, sandbox, is_git=True)
    if cached is None:
        _write_cached_id(sandbox, roots[0])
    worktree, top = places or (sandbox, sandbox)
    return Resolution(ProjectID(roots[0]), worktree, top, is_git=True)


def find_repository(directory: Path) -> Path | None:
    """The nearest directory upward that has an entry ``.git``."""
    return next((folder for folder in (directory, *directory.parents) if os.path.lexists(folder / ".git")), None)


def read_cached_id(sandbox: Path) -> ProjectID | None:
    """The id that was written into the ``.git`` directory, if it looks like one."""
    try:
        text = read_text(sandbox / ".git" / ID_FILE).strip()
    except OSError:
        return None
    return ProjectID(text) if _COMMIT.fullmatch(text) else None


def is_plain(sandbox: Path) -> bool:
    """Whether git would say what the look of the directory says, so that it need not be asked."""
    try:
        settings = read_text(sandbox / ".git" / "config")
    except OSError:
        return False
    is_main = (sandbox / ".git" / "HEAD").is_file() and not (sandbox / ".git" / "commondir").exists()
    return is_main and not _UNUSUAL.search(settings) and sandbox == sandbox.resolve()


def _write_cached_id(sandbox: Path, commit: str) -> None:
    # `.git` may be a file, or read-only: then the history is walked again next time. Never written through: the name
    # may be a link to anything.
    fresh = sandbox / ".git" / f".{ID_FILE}-{secrets.token_hex(6)}"
    with suppress(OSError):
        with fresh.open("x") as file:
            file.write(commit)
        fresh.replace(sandbox / ".git" / ID_FILE)


async def _ask(sandbox: Path, git: Git, cached: ProjectID | None) -> tuple[list[str] | None, tuple[Path, Path] | None]:
    """The root commits and the work trees, asked for at the same time."""
    roots: list[str] | None = None
    places: tuple[Path, Path] | None = None

    async def ask_roots() -> None:
        nonlocal roots
        roots = await _roots(sandbox, git, cached)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_roots)
        places = await _places(sandbox, git)
    return roots, places


async def _roots(sandbox: Path, git: Git, cached: ProjectID | None) -> list[str] | None:
    """The root commits of all branches, sorted; None when git cannot tell."""
    if cached is not None:
        return [cached]
    lines = await git.lines(sandbox, "rev-list", "--max-parents=0", "--all")
    return None if lines is None else sorted(line.strip() for line in lines if line.strip())


async def _places(sandbox: Path, git: Git) -> tuple[Path, Path] | None:
    """The main work tree and this one; None when there is none, as in a bare repository."""
    lines = await git.lines(sandbox, "rev-parse", "--show-toplevel", "--git-common-dir", "--git-dir")
    if lines is None or len(lines) != 3:
        return None
    top, common, own = (Path(os.path.normpath(sandbox / line)) for line in lines)
    # A submodule keeps its files in its parent's `.git` and is a work tree of its own all the same.
    return (top if common == own else common.parent), top
