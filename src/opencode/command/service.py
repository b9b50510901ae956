"""The slash commands of one directory."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from opencode.command.builtin import builtin_commands
from opencode.command.errors import CommandNotFound
from opencode.command.schema import Command
from opencode.config.schema import CommandConfig
from opencode.skill.schema import Skill

_PLACEHOLDER = re.compile(r"\$\d+")


class CommandService:
    """Knows every command: built in, configured, the prompts of MCP servers, and skills.

    ``mcp`` gives the prompts of the servers connected at the moment; the rest is fixed for the life of the instance.
    """

    def __init__(
        self,
        configured: Mapping[str, CommandConfig],
        skills: Iterable[Skill],
        worktree: Path,
        mcp: Callable[[], Iterable[Command]] = tuple,
    ) -> None:
        own = builtin_commands(worktree)
        self._own = {command.name: command for command in own} | {
            name: _configured(name, entry) for name, entry in configured.items()
        }
        self._skills = [_of_skill(skill) for skill in skills]
        self._mcp = mcp

    def get(self, name: str) -> Command:
        """One command, with or without its slash. Raises ``CommandNotFound``, which names all."""
        commands = self._by_name()
        found = commands.get(name) or commands.get(name.removeprefix("/"))
        if found is None:
            raise CommandNotFound(name, commands)
        return found

    def list(self) -> list[Command]:
        """All commands: built in, configured, of MCP servers, then skills. Source: operation ``command.list``."""
        return [*self._by_name().values()]

    def _by_name(self) -> dict[str, Command]:
        commands = self._own | {command.name: command for command in self._mcp()}
        for command in self._skills:
            commands.setdefault(command.name, command)
        return commands


def hints(template: str) -> list[str]:
    """The placeholders a template uses: ``$1`` and so on, sorted as text, then ``$ARGUMENTS``."""
    numbered = sorted(set(_PLACEHOLDER.findall(template)))
    return [*numbered, "$ARGUMENTS"] if "$ARGUMENTS" in template else numbered


def _configured(name: str, entry: CommandConfig) -> Command:
    return Command(
        name=name,
        description=entry.description,
        agent=entry.agent,
        model=entry.model,
        source="command",
        template=entry.template,
        subtask=entry.subtask,
        hints=hints(entry.template),
    )


def _of_skill(skill: Skill) -> Command:
    text = skill.content.strip()
    folder = Path(skill.location).parent
    if folder.is_absolute():
        text += f"\n\nThe files of this skill are in {folder}; relative paths in it start there."
    return Command(name=skill.name, description=skill.description, source="skill", template=text, hints=[])
