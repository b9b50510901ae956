"""What a repository can do to the user who opens it. Nobody has been asked anything yet."""

import json
import os
import subprocess
from pathlib import Path

import anyio
import pytest

from opencode.config.load import load_config_with_problems
from opencode.config.yaml import YamlError, read_yaml
from opencode.project.git import Git
from opencode.project.resolve import resolve_directory
from opencode.project.vcs import read_head
from tests.security.conftest import World

COMMIT = "1" * 40


def git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("remote.origin.uploadpack", "{evil}"),
        ("core.sshCommand", "{evil}"),
        ("core.fsmonitor", "{evil}"),
        ("core.hooksPath", "{folder}"),
        ("diff.external", "{evil}"),
        ("core.pager", "{evil}"),
        ("alias.rev-list", "!{evil}"),
        ("remote.origin.vcs", "ext"),
    ],
)
async def test_opening_a_directory_runs_no_program_that_its_git_configuration_names(
    tmp_path: Path, name: str, value: str
) -> None:
    """A partial clone whose commits are missing makes git fetch them, with commands of the repository's choice."""
    project, ran = tmp_path / "project", tmp_path / "ran"
    project.mkdir()
    evil = project / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {ran}\n")
    evil.chmod(0o755)
    git(project, "init", "--quiet", "--initial-branch=main")
    (project / ".git/refs/heads/main").write_text(f"{COMMIT}\n")
    url = f"ssh://x{project}" if name == "core.sshCommand" else str(project)
    partial = {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{evil}" if name == "remote.origin.vcs" else url,
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        name: value.format(evil=evil, folder=project),
    }
    for key, setting in partial.items():
        git(project, "config", key, setting)

    await resolve_directory(project, Git(dict(os.environ)))

    assert not ran.exists()


async def test_opening_a_directory_writes_through_no_link(world: World) -> None:
    precious = world.write(world.home / ".bashrc", "precious")
    (world.project / ".git/opencode").symlink_to(precious)

    await resolve_directory(world.project, Git(dict(os.environ)))

    assert precious.read_text() == "precious"


async def test_pipes_where_files_should_be_make_nobody_wait(world: World) -> None:
    os.mkfifo(world.project / ".git/opencode")
    os.mkfifo(world.project / "opencode.json")
    other = world.root / "other/.git"
    other.mkdir(parents=True)
    os.mkfifo(other / "HEAD")
    with anyio.fail_after(5):
        assert read_head(other.parent) is None
        async with world.open() as server:
            answer = await server.client.get("/config")
    assert answer.status_code == 400
    assert "Not a regular file" in answer.text


@pytest.mark.parametrize("bomb", ["a: " + "[" * 100_000, "a: " + "{a: " * 50_000, "a: &a [x]\nb: [*a, *a]"])
def test_front_matter_ends_no_process_and_fills_no_memory(bomb: str) -> None:
    """The fast YAML reader crashes on deep nesting."""
    with pytest.raises(YamlError):
        read_yaml(bomb)


async def test_a_change_of_the_project_is_not_written_into_the_users_own_files(world: World) -> None:
    """What is allowed in one project would be allowed everywhere."""
    own = world.write(world.paths.config / "opencode.json", {"username": "me"})
    (world.project / "opencode.json").symlink_to(own)
    async with world.open() as server:
        refused = await server.client.patch("/config", json={"permission": {"bash": "allow"}})
        assert (refused.status_code, refused.json()["name"]) == (400, "ConfigWithheldError")
        assert json.loads(own.read_text()) == {"username": "me"}
        world.write(world.paths.config / "trusted", f"{world.project}\n")
        assert (await server.client.patch("/config", json={"permission": {"bash": "allow"}})).status_code == 200
    assert json.loads(own.read_text()) == {"username": "me", "permission": {"bash": "allow"}}


async def test_links_to_the_users_files_become_no_instructions(world: World) -> None:
    secret = world.write(world.home / ".ssh/id_rsa", "PRIVATE KEY")
    (world.project / "AGENTS.md").symlink_to(secret)
    agents = world.project / ".opencode/agent"
    agents.mkdir(parents=True)
    (agents / "build.md").symlink_to(secret)
    (agents / "disk").symlink_to("/")
    named = [str(secret), "~/.ssh/*", "../home/.ssh/id_rsa"]
    world.write(world.project / "opencode.json", {**world.provider(), "instructions": named})
    async with world.open() as server:
        await server.prompt()
    assert "PRIVATE KEY" not in world.model.turns[0].system_text


async def test_the_users_own_links_and_files_stay_instructions(world: World) -> None:
    rules = world.write(world.home / "dotfiles/rules.md", "Be brief.")
    world.write(world.paths.config / "opencode.json", {"instructions": [str(rules)]})
    (world.paths.config / "AGENTS.md").symlink_to(rules)
    world.write(world.project / "AGENTS.md", "Be kind.")
    world.write(world.project / "opencode.json", world.provider())
    async with world.open() as server:
        await server.prompt()
    system = world.model.turns[0].system_text
    assert "Be brief." in system
    assert "Be kind." in system


async def test_a_huge_instruction_file_is_left_out(world: World) -> None:
    with (world.project / "AGENTS.md").open("wb") as file:
        file.truncate(8 * 1024 * 1024 * 1024)
    world.write(world.project / "opencode.json", world.provider())
    async with world.open() as server:
        assert (await server.prompt())["info"]["role"] == "assistant"


async def test_a_shell_of_the_project_is_not_used(world: World) -> None:
    evil = world.write(world.project / "evil", "#!/bin/sh\n")
    evil.chmod(0o755)
    for shell, used in ((str(evil), False), ("./evil", False), ("/bin/sh", True), ("sh", True)):
        world.write(world.project / "opencode.json", {"shell": shell})
        loaded = await load_config_with_problems(world.project, world.project, world.paths, world.environment)
        assert (loaded.config.shell == shell) is used
        assert bool(loaded.problems) is not used


async def test_opening_a_directory_contacts_no_address_that_it_names(world: World) -> None:
    config = {**world.provider(), "skills": {"urls": [f"{world.model.url}/skills"]}}
    world.write(world.project / "opencode.json", config)
    async with world.open() as server:
        await server.get("/skill")
    assert world.model.requests == []
