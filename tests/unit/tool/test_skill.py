"""``skill``: what a model gets of a skill. Source: golden trace ``tools_skill``."""

from pathlib import Path
from typing import Any

import pytest

from opencode.skill.builtin import builtin_skills
from opencode.skill.document import read_skill
from opencode.skill.service import SkillService
from opencode.tool.arguments import parameters_schema
from opencode.tool.builtin.skill import SHOWN_FILES, SkillParams, SkillTool, sample
from opencode.tool.tool import ToolContext, ToolError, ToolResult


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "skills" / "greet"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: greet\ndescription: How to greet\n---\n\n# Greeting\n\nSay ahoy.\n")
    (folder / "extra.txt").write_text("more\n")
    return folder


@pytest.fixture
def tool(folder: Path) -> SkillTool:
    skill = read_skill(folder / "SKILL.md")
    assert skill is not None
    return SkillTool(SkillService([*builtin_skills(), skill]))


async def test_a_skill_comes_with_its_place_and_its_files(
    tool: SkillTool, folder: Path, context: ToolContext, recorded: Any
) -> None:
    result = await tool.run(SkillParams(name="greet"), context)
    assert result == ToolResult(
        title="Loaded skill: greet",
        output=(
            '<skill_content name="greet">\n# Skill: greet\n\n# Greeting\n\nSay ahoy.\n\n'
            f"Base directory for this skill: {folder}\n"
            "Relative paths in this skill (e.g., scripts/, reference/) are relative to this base directory.\n"
            "Note: file list is sampled.\n\n"
            f"<skill_files>\n<file>{folder}/extra.txt</file>\n</skill_files>\n</skill_content>"
        ),
        metadata={"name": "greet", "dir": str(folder)},
    )
    assert recorded.asks == [{"permission": "skill", "patterns": ["greet"], "always": ["greet"], "metadata": {}}]


async def test_an_unknown_skill_names_the_others(tool: SkillTool, context: ToolContext, recorded: Any) -> None:
    with pytest.raises(ToolError) as error:
        await tool.run(SkillParams(name="absent"), context)
    assert str(error.value) == 'Skill "absent" not found. Available skills: customize-opencode, greet'
    assert recorded.asks == []


async def test_a_built_in_skill_has_no_place(tool: SkillTool, context: ToolContext) -> None:
    result = await tool.run(SkillParams(name="customize-opencode"), context)
    assert result.metadata == {"name": "customize-opencode", "dir": "<built-in>"}
    assert "Base directory" not in result.output


async def test_a_refused_skill_stays_unread(tool: SkillTool, context: ToolContext, recorded: Any) -> None:
    recorded.refusal = ToolError("no")
    with pytest.raises(ToolError, match="no"):
        await tool.run(SkillParams(name="greet"), context)


def test_the_sample_is_small_and_leaves_out_what_is_not_the_skills_own(folder: Path) -> None:
    for name in ("node_modules/x.js", ".git/config", *(f"scripts/{n:02}.sh" for n in range(20))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    files = [path.relative_to(folder).as_posix() for path in sample(folder)]
    assert files == ["extra.txt", *(f"scripts/{n:02}.sh" for n in range(SHOWN_FILES - 1))]


def test_its_parameters_are_the_official_ones() -> None:
    schema = parameters_schema(SkillParams)
    assert (list(schema["properties"]), schema["required"]) == (["name"], ["name"])
