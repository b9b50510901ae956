"""The slash commands of one directory."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from opencode.command.builtin import builtin_commands
from opencode.command.errors import CommandNotFound
from opencode.command.schema import Command
from opencode.config.schema import CommandConfig
from opencode.skill.schema import Skill

_PLACEHOLDER = re.compile(r"\$\d+")


class CommandSource(Protocol):
    """Commands that come and go, such as the prompts of the MCP servers connected at the moment."""

    def commands(self) -> Iterable[Command]:
        """Those there are now. Their ``template`` may be empty."""
        ...

    async def template(self, name: str) -> str:
        """The text of one of them, with placeholders for arguments. Raises a ``NamedError``."""
        ...


class CommandService:
    """Knows every command: built in, configured, of ``sources``, and skills.

    Those of sources replace built-in and configured ones of the same name; skills replace none.
    """

    def __init__(
        self,
        configured: Mapping[str, CommandConfig],
        skills: Iterable[Skill],
        worktree: Path,
        sources: Sequence[CommandSource] = (),
    ) -> None:
        own = builtin_commands(worktree)
        self._own = {command.name: command for command in own} | {
            name: _configured(name, entry) for name, entry in configured.items()
        }
        self._skills = [_of_skill(skill) for skill in skills]
        self._sources = sources

    def get(self, name: str) -> Command:
        """One command, with or without its slash. Raises ``CommandNotFound``, which names all."""
        commands = self._by_name()
        found = commands.get(name) or commands.get(name.removeprefix("/"))
        if found is None:
            raise CommandNotFound(name, commands)
        return found

    async def template(self, command: Command) -> str:
        """The text of a command, fetched where it comes from a source. Raises what the source raises."""
        for source in reversed(self._sources):
            if command in source.commands():
                return await source.template(command.name)
        return command.template

    def list(self) -> list[Command]:
        """All commands: built in, configured, of sources, then skills. Source: operation ``command.list``."""
        return [*self._by_name().values()]

    def _by_name(self) -> dict[str, Command]:
        commands = dict(self._own)
        for source in self._sources:
            commands |= {command.name: command for command in source.commands()}
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
