import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opencode.config.environment import Environment
from opencode.config.markdown import parse_markdown
from opencode.config.parse import find_issues
from opencode.config.schema import Config
from opencode.core.paths import Paths
from opencode.core.wire import UNSET
from opencode.skill.builtin import LOCATION, builtin_skills
from opencode.skill.errors import SkillNotFound
from opencode.skill.schema import Skill
from opencode.skill.service import SkillService, load_skills


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/project/pkg").mkdir(parents=True)
    return tmp_path / "home"


def write(path: Path, name: str, description: str = "d", body: str = "body") -> Path:
    folder = path / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "SKILL.md"
    file.write_text(f"---\nname: {name}\ndescription: {description}\n---\n{body}")
    return file


async def load(  # without the built-in ones
    home: Path, faults: list[str] | None = None, environ: dict[str, str] | None = None, **config: Any
) -> SkillService:
    report = (faults if faults is not None else []).append
    everything = await load_skills(
        msgspec.convert(config, Config),
        home / "project/pkg",
        home / "project",
        Paths.from_environ({"HOME": str(home)}),
        Environment(environ or {}),
        report,
    )
    return SkillService(skill for skill in everything.list() if skill.location != LOCATION)


async def test_a_skill_is_its_file_with_the_body_as_it_stands(home: Path) -> None:
    file = write(home / "project/.opencode/skills", "greet", "How to greet", "\n# Greeting\n\nSay ahoy.\n")
    skills = await load(home)
    assert skills.list() == [
        Skill(name="greet", description="How to greet", location=str(file), content="\n# Greeting\n\nSay ahoy.\n")
    ]
    assert skills.directories() == (file.parent,)


async def test_skills_are_found_in_every_place_and_listed_by_name(home: Path) -> None:
    places = {
        "a": home / ".claude/skills",
        "b": home / ".agents/skills",
        "c": home / "project/pkg/.claude/skills/deep/er",
        "d": home / "project/.agents/skills",
        "e": home / ".config/opencode/skill",
        "f": home / "project/.opencode/skills",
        "g": home / ".opencode/skills",
        "h": home / "custom",
        "i": home / "project/pkg/here",
    }
    for name, place in reversed(places.items()):
        write(place, name)
    skills = await load(home, skills={"paths": ["~/custom", "here", "missing"]})
    assert [skill.name for skill in skills.list()] == list(places)


async def test_of_equal_names_the_nearest_wins(home: Path) -> None:
    for place in (home, home / "project", home / "project/pkg"):
        write(place / ".claude/skills", "same", body=str(place))
    assert (await load(home)).get("same").content == str(home / "project/pkg")


async def test_configuration_directories_win_over_folders_of_other_tools_and_configured_paths_over_both(
    home: Path,
) -> None:
    write(home / "project/pkg/.claude/skills", "same", body="external")
    write(home / "project/.opencode/skills", "same", body="own")
    assert (await load(home)).get("same").content == "own"
    write(home / "custom", "same", body="configured")
    assert (await load(home, skills={"paths": ["~/custom"]})).get("same").content == "configured"


@pytest.mark.parametrize(
    ("variable", "left"),
    [
        ("OPENCODE_DISABLE_EXTERNAL_SKILLS", []),
        ("OPENCODE_DISABLE_CLAUDE_CODE", ["b"]),
        ("OPENCODE_DISABLE_CLAUDE_CODE_SKILLS", ["b"]),
        ("OTHER", ["a", "b"]),
    ],
)
async def test_folders_of_other_tools_can_be_switched_off(home: Path, variable: str, left: list[str]) -> None:
    write(home / ".claude/skills", "a")
    write(home / ".agents/skills", "b")
    assert [skill.name for skill in (await load(home, environ={variable: "1"})).list()] == left


async def test_lenient_front_matter_is_understood(home: Path) -> None:
    write(home / ".claude/skills", "x", "Use when: always")
    assert (await load(home)).get("x").description == "Use when: always"


async def test_files_without_a_name_are_no_skills_and_a_description_may_be_missing(home: Path) -> None:
    for name, text in {
        "none": "no front matter\n",
        "nameless": "---\ndescription: d\n---\n",
        "bare": "---\nname: bare\n---\nx",
    }.items():
        write(home / ".claude/skills", name).write_text(text)
    faults: list[str] = []
    skills = await load(home, faults)
    assert [(skill.name, skill.description) for skill in skills.list()] == [("bare", UNSET)]
    assert faults == []


async def test_broken_front_matter_is_reported_and_skipped(home: Path) -> None:
    file = write(home / ".claude/skills", "broken")
    file.write_text("---\nname: [\n---\nbody")
    write(home / ".claude/skills", "fine")
    faults: list[str] = []
    skills = await load(home, faults)
    assert [skill.name for skill in skills.list()] == ["fine"]
    assert len(faults) == 1
    assert str(file) in faults[0]


async def test_links_are_followed_and_circles_end(home: Path) -> None:
    write(home / "elsewhere", "linked")
    root = home / ".claude/skills"
    root.mkdir(parents=True)
    (root / "out").symlink_to(home / "elsewhere")
    (root / "circle").symlink_to(root)
    assert [skill.name for skill in (await load(home)).list()] == ["linked"]


async def test_an_unknown_skill_is_refused_with_the_names_there_are(home: Path) -> None:
    write(home / ".claude/skills", "greet")
    with pytest.raises(SkillNotFound, match=r'Skill "absent" not found\. Available skills: greet'):
        (await load(home)).get("absent")


# --- built in ---------------------------------------------------------------------------------------------------


def test_the_built_in_skill_has_no_folder_of_its_own() -> None:
    skills = SkillService(builtin_skills())
    assert [(skill.name, skill.location) for skill in skills.list()] == [("customize-opencode", "<built-in>")]
    assert skills.directories() == ()


def test_the_examples_of_the_built_in_skill_are_valid() -> None:
    (skill,) = builtin_skills()
    settings = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", skill.content, re.DOTALL)]
    assert [find_issues(each) for each in settings] == [[], []]
    agent, command = re.findall(r"```markdown\n(.*?)```", skill.content, re.DOTALL)
    agent_fields, _ = parse_markdown(agent, "agent.md")
    command_fields, template = parse_markdown(command, "command.md")
    assert agent_fields["permission"]["bash"] == {"*": "ask", "git diff *": "allow"}
    assert find_issues(agent_fields, "AgentConfig") == []
    assert find_issues({**command_fields, "template": template}, "CommandConfig") == []


async def test_a_skill_of_the_user_replaces_a_built_in_one(home: Path) -> None:
    write(home / ".claude/skills", "customize-opencode", body="mine")
    assert (await load(home)).get("customize-opencode").content == "mine"
