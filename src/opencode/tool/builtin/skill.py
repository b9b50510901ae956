"""``skill``: load the instructions of a skill (spec: tools core, section 10)."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from msgspec import Meta

from opencode.core.wire import Wire
from opencode.skill.builtin import LOCATION
from opencode.skill.errors import SkillNotFound
from opencode.skill.places import SKILL_FILE
from opencode.skill.schema import Skill
from opencode.skill.service import SkillService
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult

SHOWN_FILES = 10
_NEVER_ENTERED = {"node_modules", ".git"}


class SkillParams(Wire):
    """Arguments of ``skill``."""

    name: Annotated[str, Meta(description="The name of the skill, as it is listed.")]


class SkillTool(Tool[SkillParams]):
    """``skill``: the instructions, where they lie, and a sample of the files beside them."""

    id = "skill"
    params = SkillParams

    def __init__(self, skills: SkillService) -> None:
        self.description = prompt_text("opencode.tool.builtin", "skill.md")
        self._skills = skills

    async def run(self, params: SkillParams, context: ToolContext) -> ToolResult:
        try:
            skill = self._skills.get(params.name)
        except SkillNotFound as error:
            raise ToolError(error.message) from error
        await context.ask("skill", patterns=[skill.name], always=[skill.name], metadata={})
        folder = _folder(skill)
        files = [] if folder is None else await to_thread.run_sync(sample, folder)
        return ToolResult(
            title=f"Loaded skill: {skill.name}",
            output=skill_content(skill, folder, files),
            metadata={"name": skill.name, "dir": LOCATION if folder is None else str(folder)},
        )


def skill_content(skill: Skill, folder: Path | None, files: list[Path]) -> str:
    """What the model reads. Source: golden trace ``tools_skill``. A built-in skill has no folder."""
    blocks = [f'<skill_content name="{skill.name}">\n# Skill: {skill.name}', skill.content.strip()]
    if folder is not None:
        blocks.append(
            f"Base directory for this skill: {folder}\n"
            "Relative paths in this skill (e.g., scripts/, reference/) are relative to this base directory.\n"
            "Note: file list is sampled."
        )
        blocks.append("\n".join(["<skill_files>", *(f"<file>{file}</file>" for file in files), "</skill_files>"]))
    return "\n\n".join(blocks) + "\n</skill_content>"


def sample(folder: Path) -> list[Path]:
    """The first files of a skill, besides its instructions, in the order of their names."""
    return list(islice(_files(folder), SHOWN_FILES))


def _files(folder: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NEVER_ENTERED)
        yield from (Path(current, name) for name in sorted(names) if name != SKILL_FILE)


def _folder(skill: Skill) -> Path | None:
    return None if skill.location == LOCATION else Path(skill.location).parent
