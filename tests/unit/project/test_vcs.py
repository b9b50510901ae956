"""Branches. Source: operation ``vcs.get``; project and worktree, section 6."""

import os
from pathlib import Path

import pytest

from opencode.core.wire import encode
from opencode.project.git import Git
from opencode.project.schema import VcsInfo
from opencode.project.vcs import Vcs, choose_remote
from tests.unit.project.conftest import GitCommand, Projects


async def vcs_of(projects: Projects, directory: Path) -> Vcs:
    resolved = await projects.service.resolve(directory)
    return Vcs(directory, resolved.worktree, resolved.project, projects.service.git)


async def test_a_repository_tells_its_branch_and_the_default_one(projects: Projects, repository: Path) -> None:
    assert await (await vcs_of(projects, repository)).info() == VcsInfo(branch="main", default_branch="main")


async def test_outside_of_version_control_both_are_null(projects: Projects, tmp_path: Path) -> None:
    info = await (await vcs_of(projects, tmp_path)).info()

    assert encode(info) == b'{"branch":null,"default_branch":null}'


async def test_a_branch_without_commits_is_told(projects: Projects, tmp_path: Path, git_command: GitCommand) -> None:
    git_command(tmp_path, "init", "-q", "-b", "unborn/one")

    assert await (await vcs_of(projects, tmp_path)).info() == VcsInfo(branch="unborn/one")


async def test_a_detached_head_is_called_head(projects: Projects, repository: Path, git_command: GitCommand) -> None:
    git_command(repository, "checkout", "-q", "--detach")

    assert await (await vcs_of(projects, repository)).branch() == "HEAD"


async def test_a_linked_worktree_has_its_own_branch(
    projects: Projects, repository: Path, tmp_path: Path, git_command: GitCommand
) -> None:
    git_command(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))

    info = await (await vcs_of(projects, tmp_path / "linked")).info()

    assert info == VcsInfo(branch="side", default_branch="main")


async def test_the_head_of_origin_is_the_default_branch(
    projects: Projects, repository: Path, tmp_path: Path, git_command: GitCommand
) -> None:
    git_command(repository, "checkout", "-q", "-b", "trunk")
    git_command(tmp_path, "clone", "-q", str(repository), "clone")
    git_command(tmp_path / "clone", "checkout", "-q", "-b", "feature")

    info = await (await vcs_of(projects, tmp_path / "clone")).info()

    assert info == VcsInfo(branch="feature", default_branch="trunk")


async def test_without_a_remote_the_configured_name_counts_if_there_is_such_a_branch(
    projects: Projects, repository: Path, git_command: GitCommand
) -> None:
    git_command(repository, "config", "init.defaultBranch", "trunk")
    vcs = await vcs_of(projects, repository)

    before = await vcs.default_branch()
    git_command(repository, "branch", "trunk")

    assert (before, await vcs.default_branch()) == ("main", "trunk")


async def test_there_may_be_no_default_branch(projects: Projects, repository: Path, git_command: GitCommand) -> None:
    git_command(repository, "branch", "-q", "-m", "main", "other")

    assert await (await vcs_of(projects, repository)).default_branch() is None


@pytest.mark.parametrize(
    ("settings", "remote"),
    [
        ([], None),
        (["init.defaultbranch main"], None),
        (["remote.a.url x"], "a"),
        (["remote.a.url x", "remote.b.c.url x", "remote.origin.url x"], "origin"),
        (["remote.a.url x", "remote.upstream.url x"], "upstream"),
        (["remote.b.c.url x", "remote.b.c.fetch y", "remote.a.url x"], "b.c"),
    ],
)
def test_which_remote_counts(settings: list[str], remote: str | None) -> None:
    assert choose_remote(settings) == remote


async def test_a_head_that_is_not_a_file_is_asked_of_git(
    repository: Path, projects: Projects, environ: dict[str, str], git_command: GitCommand
) -> None:
    resolved = await projects.service.resolve(repository)
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
    missing_git = Git({**environ, "PATH": os.devnull})

    assert await Vcs(repository, repository, resolved.project, missing_git).branch() == "HEAD"
