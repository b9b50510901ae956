"""Where configuration is looked for, and in which order."""

from pathlib import Path

from opencode.config.environment import Environment
from opencode.config.locate import config_directories, managed_directory, project_files, upward
from tests.unit.config.conftest import Places


def test_the_way_up_ends_at_the_worktree_or_at_the_root() -> None:
    assert upward(Path("/a/b/c"), Path("/a")) == [Path("/a/b/c"), Path("/a/b"), Path("/a")]
    assert upward(Path("/a/b"), Path("/")) == [Path("/a/b"), Path("/a"), Path("/")]
    assert upward(Path("/a/b"), Path("/x")) == [Path("/a/b"), Path("/a"), Path("/")]


def test_project_files_are_ordered_by_name_and_then_from_the_outside_in() -> None:
    assert [str(path) for path in project_files(Path("/a/b"), Path("/a"))] == [
        "/a/opencode.jsonc",
        "/a/b/opencode.jsonc",
        "/a/opencode.json",
        "/a/b/opencode.json",
    ]


def test_directories_are_listed_once_and_only_if_they_exist(places: Places) -> None:
    wanted = [
        places.paths.config,
        places.app / ".opencode",
        places.repo / ".opencode",
        places.paths.home / ".opencode",
        places.root / "extra",
    ]
    places.values["OPENCODE_CONFIG_DIR"] = str(wanted[-1])
    assert config_directories(places.app, places.repo, places.paths, places.environment) == []

    for folder in wanted:
        folder.mkdir(parents=True)

    assert config_directories(places.app, places.repo, places.paths, places.environment) == wanted
    in_home = config_directories(places.paths.home, places.paths.home, places.paths, places.environment)
    assert in_home == [wanted[0], wanted[3], wanted[4]]


def test_the_managed_directory_has_its_place_and_can_be_moved_for_tests() -> None:
    assert managed_directory(Environment({"OPENCODE_TEST_MANAGED_CONFIG_DIR": "/x"})) == Path("/x")
    assert managed_directory(Environment()).is_absolute()
