"""``@`` references in texts. Source: spec, messages, 3.8."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.agent.service import AgentService
from opencode.config.schema import Config
from opencode.core.paths import Paths
from opencode.loop.references import References, reference_names
from opencode.session.schema import AgentPartInput, FilePartInput


@pytest.fixture
def references(tmp_path: Path) -> References:
    directory, home = tmp_path / "project", tmp_path / "home"
    for folder in (directory / "src", home):
        folder.mkdir(parents=True)
    (directory / "a.txt").write_text("a")
    (directory / "src" / "one two.py").write_text("")
    (home / "notes.md").write_text("")
    return _references(directory, directory, home)


def _references(directory: Path, worktree: Path, home: Path) -> References:
    paths = Paths.from_environ({"HOME": str(home)})
    return References(AgentService(Config(), paths, worktree), directory, worktree, home)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("see @a.txt.", ["a.txt"]),
        ("see @a.txt, @b and @a.txt", ["a.txt", "b"]),
        ("(@src/x.y.z)", ["src/x.y.z)"]),
        ("@.env @../up @~/home", [".env", "../up", "~/home"]),
        ("ann@example.com `@code` @ @. @, @..", []),
        ("first\n@second", ["second"]),
    ],
)
def test_names_follow_an_at_sign_that_stands_alone(text: str, names: list[str]) -> None:
    assert reference_names(text) == names


def test_names_become_files_directories_and_agents_in_order(references: References, tmp_path: Path) -> None:
    parts = references.parts("@explore reads @src and @a.txt, @nobody and @~/notes.md")
    assert parts == [
        AgentPartInput(name="explore"),
        FilePartInput(mime="application/x-directory", filename="src", url=(tmp_path / "project/src").as_uri()),
        FilePartInput(mime="text/plain", filename="a.txt", url=(tmp_path / "project/a.txt").as_uri()),
        FilePartInput(mime="text/plain", filename="~/notes.md", url=(tmp_path / "home/notes.md").as_uri()),
    ]


def test_a_file_goes_before_an_agent_of_the_same_name(references: References, tmp_path: Path) -> None:
    (tmp_path / "project" / "explore").write_text("")
    [part] = references.parts("@explore")
    assert isinstance(part, FilePartInput)


def test_paths_are_relative_to_the_worktree_or_without_one_to_the_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "top.txt").write_text("")
    (tmp_path / "sub" / "inner.txt").write_text("")
    inside = _references(tmp_path / "sub", tmp_path, tmp_path)
    assert [part.filename for part in inside.files("@top.txt @inner.txt @sub/inner.txt")] == [
        "top.txt",
        "sub/inner.txt",
    ]
    alone = _references(tmp_path / "sub", Path("/"), tmp_path)
    assert [part.filename for part in alone.files("@top.txt @inner.txt")] == ["inner.txt"]


def test_odd_names_are_just_text(references: References) -> None:
    assert references.parts(f"@{'x' * 5000} @a\0b @{'y/' * 3000} @/root/\udcff @~nobody/x") == []


@given(text=st.text())
def test_any_text_has_references_or_not(text: str) -> None:
    assert _references(Path("/nowhere"), Path("/nowhere"), Path("/nowhere")).parts(f"@{text}") is not None
