"""Projects as they are kept. Source: project and worktree, sections 1, 2 and 4."""

import json
import shutil
from pathlib import Path

import pytest

from opencode.core.ids import ProjectID
from opencode.core.wire import UNSET, encode
from opencode.project.errors import GitInitFailed, ProjectNotFound
from opencode.project.schema import (
    GLOBAL,
    ProjectAnswer,
    ProjectCommands,
    ProjectDirectory,
    ProjectIcon,
    ProjectUpdated,
    UpdateProject,
)
from tests.unit.project.conftest import GitCommand, Projects


async def store_session(projects: Projects, session_id: str, directory: Path) -> None:
    record = json.dumps({"id": session_id, "projectID": "global", "directory": str(directory), "title": "t"}).encode()
    values = (session_id, "global", str(directory), "t", 1, 1, record)
    await projects.database.write(
        lambda tx: tx.execute(
            "INSERT INTO session (id, project_id, directory, title, created_ms, updated_ms, record) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )
    )


def sessions_of(projects: Projects) -> dict[str, tuple[str, str]]:
    rows = projects.database.read("SELECT id, project_id, record FROM session")
    return {id: (project, json.loads(record)["projectID"]) for id, project, record in rows}


async def test_opening_a_repository_stores_and_announces_its_project(projects: Projects, repository: Path) -> None:
    (repository / "src").mkdir()

    resolved = await projects.service.resolve(repository / "src")

    project = resolved.project
    assert (resolved.worktree, resolved.directory) == (repository, repository / "src")
    assert (project.worktree, project.vcs, project.sandboxes) == (str(repository), "git", [])
    assert await projects.service.list() == [project] == [await projects.service.get(project.id)]
    assert await projects.service.directories(project.id) == [ProjectDirectory(directory=str(repository))]
    assert projects.events == [ProjectUpdated.of(project)]


async def test_plain_directories_share_one_project(projects: Projects, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    first = await projects.service.resolve(tmp_path / "a")
    second = await projects.service.resolve(tmp_path / "missing")

    assert first.project.id == second.project.id == GLOBAL
    assert (first.project.worktree, first.project.vcs) == ("/", UNSET)
    assert [one.directory for one in await projects.service.directories(GLOBAL)] == [
        str(tmp_path / "a"),
        str(tmp_path / "missing"),
    ]


async def test_the_record_has_exactly_the_official_keys(projects: Projects, repository: Path) -> None:
    project = (await projects.service.resolve(repository)).project

    shown = json.loads(encode(project))

    assert shown.keys() == {"id", "worktree", "vcs", "time", "sandboxes"}
    assert shown["time"].keys() == {"created", "updated"}


async def test_two_clones_share_a_project_and_the_second_is_a_sandbox(
    projects: Projects, repository: Path, tmp_path: Path, git_command: GitCommand
) -> None:
    clone = tmp_path / "clone"
    git_command(tmp_path, "clone", "-q", str(repository), str(clone))

    first = await projects.service.resolve(repository)
    second = await projects.service.resolve(clone)

    assert second.project.id == first.project.id
    assert second.worktree == clone
    assert (second.project.worktree, second.project.sandboxes) == (str(repository), [str(clone)])


async def test_a_moved_repository_keeps_its_project(projects: Projects, repository: Path, tmp_path: Path) -> None:
    first = await projects.service.resolve(repository)
    await projects.service.add_sandbox(first.project.id, tmp_path / "gone")
    moved = tmp_path / "moved"
    shutil.move(repository, moved)

    second = await projects.service.resolve(moved)

    assert second.project.id == first.project.id
    assert (second.project.worktree, second.project.sandboxes) == (str(moved), [])


async def test_opening_a_linked_worktree_first_still_names_the_main_one(
    projects: Projects, repository: Path, tmp_path: Path, git_command: GitCommand
) -> None:
    linked = tmp_path / "linked"
    git_command(repository, "worktree", "add", "-q", str(linked))

    resolved = await projects.service.resolve(linked)

    assert resolved.worktree == linked
    assert (resolved.project.worktree, resolved.project.sandboxes) == (str(repository), [str(linked)])


async def test_sessions_of_a_directory_that_became_a_repository_come_along(
    projects: Projects, repository: Path, tmp_path: Path
) -> None:
    await store_session(projects, "ses_here", repository)
    await store_session(projects, "ses_below", repository / "src")
    await store_session(projects, "ses_elsewhere", tmp_path)

    project = (await projects.service.resolve(repository / "src")).project

    assert sessions_of(projects) == {
        "ses_here": (project.id, project.id),
        "ses_below": (project.id, project.id),
        "ses_elsewhere": ("global", "global"),
    }


async def test_an_update_changes_what_is_given_and_nothing_else(projects: Projects, repository: Path) -> None:
    project = (await projects.service.resolve(repository)).project

    named = await projects.service.update(project.id, UpdateProject(name="Renamed"))
    painted = await projects.service.update(
        project.id, UpdateProject(icon=ProjectIcon(color="blue"), commands=ProjectCommands(start="make"))
    )

    assert (named.name, named.icon) == ("Renamed", UNSET)
    assert (painted.name, painted.icon, painted.commands) == (
        "Renamed",
        ProjectIcon(color="blue"),
        ProjectCommands(start="make"),
    )
    assert projects.events[-1] == ProjectUpdated.of(painted)
    assert (await projects.service.resolve(repository)).project.name == "Renamed"


@pytest.mark.parametrize(
    ("change", "icon"),
    [
        (UpdateProject(icon="📦", color="#3b82f6"), ProjectIcon(emoji="📦", color="#3b82f6")),
        (UpdateProject(icon="https://x/i.png"), ProjectIcon(override="https://x/i.png")),
        (UpdateProject(icon=ProjectIcon(color="")), UNSET),
    ],
)
async def test_older_forms_of_an_icon_are_understood(
    projects: Projects, repository: Path, change: UpdateProject, icon: ProjectIcon
) -> None:
    project = (await projects.service.resolve(repository)).project

    assert (await projects.service.update(project.id, change)).icon == icon


async def test_an_unknown_project_is_named_in_the_error(projects: Projects) -> None:
    with pytest.raises(ProjectNotFound) as raised:
        await projects.service.update(ProjectID("nothing"), UpdateProject(name="x"))

    assert (raised.value.tag, raised.value.data) == (
        "ProjectNotFoundError",
        {"message": "Project not found: nothing", "projectID": "nothing"},
    )


async def test_sandboxes_are_added_once_and_removed(projects: Projects, repository: Path, tmp_path: Path) -> None:
    project = (await projects.service.resolve(repository)).project
    side = tmp_path / "side"

    await projects.service.add_sandbox(project.id, side)
    added = await projects.service.add_sandbox(project.id, side)
    removed = await projects.service.remove_sandbox(project.id, side)

    assert (added.sandboxes, removed.sandboxes) == ([str(side)], [])


async def test_the_time_of_init_is_kept(projects: Projects, repository: Path) -> None:
    project = (await projects.service.resolve(repository)).project

    marked = await projects.service.mark_initialized(project.id)

    assert marked.time.initialized is not UNSET
    assert (await projects.service.resolve(repository)).project.time.initialized == marked.time.initialized


async def test_making_a_repository_resolves_the_directory_anew(projects: Projects, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()

    resolved = await projects.service.init_git(plain)

    assert (resolved.project.id, resolved.project.vcs, resolved.worktree) == (GLOBAL, "git", plain)


async def test_a_repository_cannot_be_made_where_there_is_no_directory(projects: Projects, tmp_path: Path) -> None:
    with pytest.raises(GitInitFailed, match="does the directory exist"):
        await projects.service.init_git(tmp_path / "missing")


async def test_the_answer_adds_what_older_clients_read(projects: Projects, repository: Path) -> None:
    project = (await projects.service.resolve(repository)).project
    project = await projects.service.update(project.id, UpdateProject(color="red"))

    answer = ProjectAnswer.of(project)

    assert (answer.id, answer.directory, answer.color, answer.vcs_dir) == (
        project.id,
        str(repository),
        "red",
        f"{repository}/.git",
    )
