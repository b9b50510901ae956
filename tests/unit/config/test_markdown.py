"""Definitions in Markdown. Source: configuration, section 3."""

import os
from pathlib import Path
from typing import Any

import pytest

from opencode.config.errors import ConfigFrontmatterError, ConfigInvalidError
from opencode.config.markdown import parse_markdown, repair
from tests.unit.config.conftest import Places
from tests.unit.config.test_load import shown


async def test_agents_commands_and_modes_are_named_by_their_path(places: Places) -> None:
    folder = places.app / ".opencode"
    places.write(
        folder / "agent" / "reviewer.md", "---\ndescription: Reviews\ntools:\n  bash: false\n---\nYou review.\n"
    )
    places.write(folder / "agents" / "team" / "lead.md", "You lead.")
    places.write(folder / "commands" / "git" / "commit.md", "---\nagent: build\nargument-hint: x\n---\nCommit $1\n")
    places.write(folder / "mode" / "quiet.md", "---\ntemperature: 0.5\n---\nHush.")
    places.write(folder / "mode" / "nested" / "no.md", "Not a mode.")

    config = shown(await places.load())

    quiet = {"name": "quiet", "temperature": 0.5, "prompt": "Hush.", "mode": "primary", "options": {}, "permission": {}}
    assert config["agent"] == {
        "reviewer": {
            "name": "reviewer",
            "description": "Reviews",
            "tools": {"bash": False},
            "prompt": "You review.",
            "options": {},
            "permission": {"bash": "deny"},
        },
        "team/lead": {"name": "team/lead", "prompt": "You lead.", "options": {}, "permission": {}},
        "quiet": quiet,
    }
    assert config["command"] == {"git/commit": {"agent": "build", "template": "Commit $1"}}
    assert config["mode"] == {}, "a mode is an agent; only the configuration's own key is told again"


async def test_a_name_in_the_front_matter_wins(places: Places) -> None:
    places.write(places.app / ".opencode" / "command" / "file.md", "---\nname: other\n---\nx")

    assert [*(await places.load()).command] == ["other"]


async def test_the_outer_directory_wins_over_the_inner_one(places: Places) -> None:
    places.write(places.app / ".opencode" / "agent" / "a.md", "inner")
    places.write(places.repo / ".opencode" / "agent" / "a.md", "outer")

    assert (await places.load()).agent["a"].prompt == "outer"


async def test_an_invalid_agent_is_an_error_and_an_invalid_mode_is_left_out(places: Places) -> None:
    mode = places.write(places.app / ".opencode" / "mode" / "bad.md", "---\nsteps: none\n---\nx")
    assert (await places.load()).agent == {}

    agent = places.app / ".opencode" / "agent" / "bad.md"
    agent.parent.mkdir()
    mode.rename(agent)

    with pytest.raises(
        ConfigInvalidError, match=r"agent/bad.md: steps: Expected integer > 0 \| undefined, got a string"
    ):
        await places.load()


async def test_unreadable_front_matter_is_a_problem_and_the_rest_is_loaded(places: Places) -> None:
    bad = places.write(places.app / ".opencode" / "agent" / "bad.md", "---\na: [\n---\nx")
    places.write(places.app / ".opencode" / "agent" / "good.md", "y")

    loaded = await places.load_all()

    assert [*loaded.config.agent] == ["good"]
    assert [problem.path for problem in loaded.problems] == [str(bad)]
    assert loaded.problems[0].message.startswith(f"{bad}: the front matter cannot be read: ")


async def test_links_are_followed_but_not_in_circles(places: Places) -> None:
    folder = places.app / ".opencode" / "agent"
    places.write(places.repo / "shared" / "linked.md", "x")
    folder.mkdir(parents=True)
    (folder / "team").symlink_to(places.repo / "shared")
    (folder / "again").symlink_to(folder)

    assert [*(await places.load()).agent] == ["team/linked"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
async def test_a_pipe_in_a_repository_does_not_make_the_server_wait(places: Places) -> None:
    (places.app / ".opencode" / "agent").mkdir(parents=True)
    os.mkfifo(places.app / ".opencode" / "agent" / "pipe.md")

    loaded = await places.load_all()

    assert [problem.message.rpartition(": ")[2] for problem in loaded.problems] == ["Not a regular file"]


async def test_plugins_in_a_directory_are_listed(places: Places) -> None:
    script = places.write(places.app / ".opencode" / "plugin" / "x.ts", "")

    assert (await places.load()).plugin == [script.as_uri()]


@pytest.mark.parametrize(
    ("text", "front_matter", "body"),
    [
        ("just text\n", {}, "just text"),
        ("---\n---\nbody", {}, "body"),
        ("---\r\na: b\r\n---\r\n body \r\n", {"a": "b"}, "body"),
        ("---\na: 1\nb: [x, 'y']\n---\n---\nrule", {"a": 1, "b": ["x", "y"]}, "---\nrule"),
        ("----\na: b\n---\nx", {}, "----\na: b\n---\nx"),
        (
            "---\ndescription: Use when: always\nmodel: a/b\n---\nx",
            {"description": "Use when: always", "model": "a/b"},
            "x",
        ),
        ("---\nanswer: yes\nday: 2026-01-02\non: off\n---\n", {"answer": "yes", "day": "2026-01-02", "on": "off"}, ""),
        ("---\n1: true\n---\n", {"1": True}, ""),
    ],
)
def test_front_matter_is_read(text: str, front_matter: dict[str, Any], body: str) -> None:
    assert parse_markdown(text, "x.md") == (front_matter, body)


@pytest.mark.parametrize(
    "text", ["---\n- a\n---\n", "---\na: &x [1]\nb: *x\n---\n", "---\na: !!python/tuple [1]\n---\n"]
)
def test_what_front_matter_may_not_hold_is_refused(text: str) -> None:
    with pytest.raises(ConfigFrontmatterError, match=r"x\.md"):
        parse_markdown(text, Path("x.md"))


def test_only_top_level_values_with_a_colon_are_repaired() -> None:
    text = '# c: d: e\na: b: c\nq: "x: y"\nblock: |\n  k: v: w\nempty:\nurl: http://x'

    assert repair(text) == ('# c: d: e\na: |-\n  b: c\nq: "x: y"\nblock: |\n  k: v: w\nempty:\nurl: |-\n  http://x')


async def test_a_null_in_front_matter_is_told(places: Places) -> None:
    places.write(places.app / ".opencode" / "agent" / "a.md", "---\ncolor: #ff0000\n---\nx")

    with pytest.raises(ConfigInvalidError, match=r"color: .*got null"):
        await places.load()
