"""A real directory under real git, and its snapshots."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode.project.git import Git
from opencode.snapshot.service import SnapshotService, open_snapshots


class World:
    """A work tree and the server's data directory; ``open`` is a new server process."""

    def __init__(self, tmp_path: Path) -> None:
        self.data = tmp_path / "data"
        self.tree = tmp_path / "work"
        self.tree.mkdir()
        (tmp_path / "home").mkdir()
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}

    def git(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
        command = ["git", *identity, "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.tree, env=self.environ, input=stdin.encode(), capture_output=True, check=True
        )
        return done.stdout.decode()

    def commit(self, **files: str) -> None:
        """Make a repository of the work tree, with these files (``__`` for a dot) committed."""
        self.git("init", "-q")
        for name, content in files.items():
            self.write(name.replace("__", "."), content)
        self.git("add", "-A")
        self.git("commit", "-qm", "first", "--allow-empty")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name: str) -> str:
        return (self.tree / name).read_text()

    def open(
        self, directory: Path | None = None, worktree: Path | None = None, *, enabled: bool = True
    ) -> SnapshotService:
        return open_snapshots(
            data=self.data,
            project_id="p",
            directory=directory or self.tree,
            worktree=worktree or self.tree,
            git=Git(self.environ),
            environ=self.environ,
            enabled=enabled,
        )

    def names(self, snapshots: SnapshotService, tree: str | None) -> list[str]:
        """What a tree holds."""
        assert tree is not None
        listing = subprocess.run(
            ["git", "--git-dir", str(self.store), "ls-tree", "-r", "-z", "--name-only", tree],
            capture_output=True,
            check=True,
        )
        return listing.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]

    @property
    def store(self) -> Path:
        return next((self.data / "snapshot").glob("*/*"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def count_git(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Calls of git for snapshots since the last question, by their verb."""
    from opencode.snapshot import shadow_git

    calls: list[str] = []
    real = shadow_git.run_process

    async def counted(argv: tuple[str, ...], **options: object) -> object:
        calls.append(shadow_git._verb(argv[1:]))
        return await real(argv, **options)  # type: ignore[arg-type]

    def since() -> list[str]:
        found = list(calls)
        calls.clear()
        return found

    monkeypatch.setattr(shadow_git, "run_process", counted)
    return since
