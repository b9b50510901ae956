"""Which repository a directory belongs to. Source: project and worktree, sections 2 and 10."""

from pathlib import Path

from opencode.core.ids import ProjectID
from opencode.project.git import Git
from opencode.project.resolve import ROOT, Resolution, is_plain, resolve_directory
from opencode.project.schema import GLOBAL
from tests.unit.project.conftest import GitCommand


def root_of(directory: Path, git_command: GitCommand) -> ProjectID:
    return ProjectID(git_command(directory, "rev-list", "--max-parents=0", "--all").splitlines()[0])


async def test_a_plain_directory_belongs_to_the_global_project(tmp_path: Path, git: Git) -> None:
    assert await resolve_directory(tmp_path, git) == Resolution(GLOBAL, ROOT, ROOT, is_git=False)


async def test_a_directory_that_does_not_exist_is_resolved_by_its_parents(repository: Path, git: Git) -> None:
    assert (await resolve_directory(repository / "no" / "such", git)).sandbox == repository


async def test_the_fake_flag_says_git_where_there_is_none(tmp_path: Path, git: Git) -> None:
    assert (await resolve_directory(tmp_path, git, fake_git=True)).is_git


async def test_a_repository_without_commits_is_global_with_a_worktree(
    tmp_path: Path, git: Git, git_command: GitCommand
) -> None:
    git_command(tmp_path, "init", "-q")

    assert await resolve_directory(tmp_path, git) == Resolution(GLOBAL, tmp_path, tmp_path, is_git=True)


async def test_the_id_is_the_root_commit_and_is_kept_in_the_git_directory(
    repository: Path, git: Git, git_command: GitCommand
) -> None:
    root = root_of(repository, git_command)
    (repository / "src").mkdir()

    assert await resolve_directory(repository / "src", git) == Resolution(root, repository, repository, is_git=True)
    assert (repository / ".git" / "opencode").read_text() == root


async def test_of_several_roots_on_any_branch_the_first_by_hash_counts(
    repository: Path, git: Git, git_command: GitCommand
) -> None:
    for name in ("one", "two", "three"):
        git_command(repository, "checkout", "-q", "--orphan", name)
        git_command(repository, "commit", "-q", "--allow-empty", "-m", name)
    git_command(repository, "checkout", "-q", "--orphan", "unborn")
    roots = git_command(repository, "rev-list", "--max-parents=0", "--all").splitlines()

    assert len(roots) == 4
    assert (await resolve_directory(repository, git)).id == min(roots)


async def test_a_second_visit_needs_no_git(repository: Path, git: Git) -> None:
    first = await resolve_directory(repository, git)

    assert await resolve_directory(repository, Git({"PATH": "/nowhere"})) == first


async def test_without_git_a_new_repository_is_global(repository: Path) -> None:
    found = await resolve_directory(repository, Git({"PATH": "/nowhere"}))

    assert found == Resolution(GLOBAL, repository, repository, is_git=False)


async def test_a_kept_id_that_is_no_commit_is_not_believed(repository: Path, git: Git, git_command: GitCommand) -> None:
    (repository / ".git" / "opencode").write_text("global")

    assert (await resolve_directory(repository, git)).id == root_of(repository, git_command)


async def test_a_linked_worktree_is_a_sandbox_of_the_main_one(
    repository: Path, git: Git, git_command: GitCommand
) -> None:
    linked = repository.parent / "linked"
    git_command(repository, "worktree", "add", "-q", str(linked))

    found = await resolve_directory(linked, git)

    assert found == Resolution(root_of(repository, git_command), repository, linked, is_git=True)


async def test_a_submodule_is_a_repository_of_its_own(
    repository: Path, tmp_path: Path, git: Git, git_command: GitCommand
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git_command(outer, "init", "-q")
    git_command(outer, "submodule", "--quiet", "add", str(repository), "sub")

    found = await resolve_directory(outer / "sub", git)

    root = root_of(repository, git_command)
    assert found == Resolution(root, outer / "sub", outer / "sub", is_git=True)


async def test_a_bare_repository_has_the_directory_that_holds_it(
    repository: Path, tmp_path: Path, git: Git, git_command: GitCommand
) -> None:
    holder = tmp_path / "holder"
    holder.mkdir()
    git_command(tmp_path, "clone", "-q", "--bare", str(repository), str(holder / ".git"))

    found = await resolve_directory(holder, git)

    assert found == Resolution(root_of(repository, git_command), holder, holder, is_git=True)


async def test_a_link_to_a_repository_leads_to_its_real_place(repository: Path, tmp_path: Path, git: Git) -> None:
    link = tmp_path / "link"
    link.symlink_to(repository)
    await resolve_directory(repository, git)

    assert (await resolve_directory(link, git)).sandbox == repository


async def test_a_repository_that_names_another_work_tree_is_left_to_git(
    repository: Path, git_command: GitCommand
) -> None:
    assert is_plain(repository)

    git_command(repository, "config", "core.worktree", "..")

    assert not is_plain(repository)


async def test_the_environment_of_another_repository_is_ignored(
    repository: Path, tmp_path: Path, environ: dict[str, str], git_command: GitCommand
) -> None:
    inside_a_hook = Git({**environ, "GIT_DIR": str(tmp_path / "else.git"), "GIT_WORK_TREE": str(tmp_path)})

    assert (await resolve_directory(repository, inside_a_hook)).id == root_of(repository, git_command)


async def test_nothing_that_a_repository_names_is_run(
    repository: Path, tmp_path: Path, git: Git, git_command: GitCommand
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    for setting in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand"):
        git_command(repository, "config", setting, str(program))

    await resolve_directory(repository, git)

    assert not (tmp_path / "ran").exists()
