"""The system text of a model call: who the model is, where it works, what it must know (spec: system prompt)."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path

from opencode.agent.schema import Agent
from opencode.core.clock import Clock
from opencode.core.wire import UNSET
from opencode.loop.instructions import InstructionFiles
from opencode.loop.prompt_text import prompt_text
from opencode.permission.ruleset import evaluate, is_disabled
from opencode.permission.schema import PermissionRuleset
from opencode.provider.schema import Model
from opencode.skill.schema import Skill

_OPENAI = re.compile(r"codex|gpt|(?<![a-z0-9])o[134](?![a-z0-9])", re.IGNORECASE)
_GEMINI = re.compile(r"gemini-", re.IGNORECASE)
_FAMILIES = ("default", "gpt", "gemini")
_SKILLS_INTRODUCTION = (
    "Skills hold instructions for particular kinds of work. When a task matches a description, load the skill with "
    "the `skill` tool before you start."
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the sessions of an instance work. ``platform`` is ``linux``, ``darwin`` or ``win32``."""

    directory: Path
    worktree: Path
    is_git: bool
    platform: str = sys.platform


class SystemPrompt:
    """Writes the system text of each call in one directory.

    ``skills`` gives the skills there are, ``mcp_instructions`` what connected MCP servers say about their use.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        instructions: InstructionFiles,
        skills: Callable[[], Sequence[Skill]],
        clock: Clock,
        mcp_instructions: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._surroundings = surroundings
        self._instructions = instructions
        self._skills = skills
        self._clock = clock
        self._mcp_instructions = mcp_instructions
        self._base = {family: prompt_text(family) for family in _FAMILIES}
        self._structured = prompt_text("structured_output")

    async def text(
        self, agent: Agent, model: Model, user_system: str | None = None, *, is_structured: bool = False
    ) -> str:
        """One string: what changes seldom stands first, so that caches hold; what the user gave stands last."""
        today = datetime.fromtimestamp(self._clock.now_ms() / 1000).date()
        return joined(
            self._base[prompt_family(model)] if agent.prompt is UNSET else agent.prompt,
            environment_block(model, self._surroundings, today),
            *(file.block for file in await self._instructions.system()),
            *self._mcp_instructions(),
            skills_block(self._skills(), agent.permission),
            self._structured if is_structured else "",
            user_system or "",
        )


def prompt_family(model: Model) -> str:
    """Which base prompt suits a model, by the id that its API knows it by."""
    if _OPENAI.search(model.api.id):
        return "gpt"
    return "gemini" if _GEMINI.search(model.api.id) else "default"


def joined(*blocks: str) -> str:
    """The blocks that say something, each on lines of its own."""
    return "\n".join(block for block in blocks if block.strip())


def environment_block(model: Model, surroundings: Surroundings, today: date) -> str:
    """The facts about the place of work, one per line. No time of day: caches shall hold for a day."""
    facts = {
        "Model": f"{model.name} ({model.provider_id}/{model.id})",
        "Working directory": surroundings.directory,
        "Worktree root": surroundings.worktree,
        "Git repository": "yes" if surroundings.is_git else "no",
        "Platform": surroundings.platform,
        "Date": f"{today:%A, %Y-%m-%d}",
    }
    lines = (f"  {name}: {value}" for name, value in facts.items())
    return "\n".join(["<env>", *lines, "</env>"])


def skills_block(skills: Iterable[Skill], ruleset: PermissionRuleset) -> str:
    """The skills an agent may load, by name; empty when there are none or it cannot load any."""
    if is_disabled("skill", ruleset):
        return ""
    offered = [
        _skill_entry(skill)
        for skill in sorted(skills, key=lambda skill: skill.name)
        if skill.description is not UNSET and evaluate("skill", skill.name, ruleset).action != "deny"
    ]
    if not offered:
        return ""
    return "\n".join([_SKILLS_INTRODUCTION, "<available_skills>", *offered, "</available_skills>"])


def _skill_entry(skill: Skill) -> str:
    place = Path(skill.location).as_uri() if Path(skill.location).is_absolute() else skill.location
    return "\n".join(
        [
            "  <skill>",
            f"    <name>{escape(skill.name, quote=False)}</name>",
            f"    <description>{escape(str(skill.description), quote=False)}</description>",
            f"    <location>{escape(place, quote=False)}</location>",
            "  </skill>",
        ]
    )
