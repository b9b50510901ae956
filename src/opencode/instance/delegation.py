"""Who else does the work of a prompt: subagents, and the slash commands of one directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from opencode.agent.service import AgentService
from opencode.command.service import CommandService
from opencode.core.wire import UNSET, set_or
from opencode.instance.ground import Ground
from opencode.loop.abilities import Abilities
from opencode.loop.background_tasks import BackgroundSubagents
from opencode.loop.command import CommandRunner, CommandShell
from opencode.loop.prompt import PromptService
from opencode.loop.references import References
from opencode.loop.subagent import Subagents
from opencode.tool.builtin.task import StartSubagent
from opencode.tool.shell_choice import tool_shell

BACKGROUND_SWITCH = "OPENCODE_EXPERIMENTAL_BACKGROUND_SUBAGENTS"
DEFAULT_DEPTH = 1
"""Subagents have no subagents of their own."""


@dataclass(frozen=True, slots=True)
class Delegates:
    """The subagents, to be connected with the loop once there is one; and those that may work in the background."""

    references: References
    subagents: Subagents
    background: BackgroundSubagents | None

    @property
    def start(self) -> StartSubagent | None:
        """Starts one in the background, where that is switched on."""
        return None if self.background is None else self.background.start

    @asynccontextmanager
    async def connected(self, prompts: PromptService) -> AsyncIterator[None]:
        """Let them work; on exit those in the background are stopped."""
        self.subagents.prompt, self.subagents.stop = prompts.prompt, prompts.abort
        if self.background is None:
            yield
            return
        async with self.background.served(prompts.prompt_async):
            prompts.stop_background = self.background.cancel
            yield


def make_delegates(ground: Ground, agents: AgentService) -> Delegates:
    """The subagents of a directory."""
    references = References(agents, ground.directory, ground.worktree, ground.shared.paths.home)
    subagents = _subagents(ground, references)
    is_wanted = ground.shared.environment.experimental(BACKGROUND_SWITCH)
    return Delegates(references, subagents, BackgroundSubagents(subagents) if is_wanted else None)


def _subagents(ground: Ground, references: References) -> Subagents:
    experimental = ground.config.experimental
    primary_tools: list[str] = [] if experimental is UNSET else set_or(experimental.primary_tools, [])
    depth = set_or(ground.config.subagent_depth, DEFAULT_DEPTH)
    return Subagents(ground.sessions, ground.store, references, depth=depth, primary_tools=primary_tools)


def make_command_runner(
    ground: Ground, commands: CommandService, abilities: Abilities, prompts: PromptService, references: References
) -> CommandRunner:
    """The commands. ``init`` marks the project as initialized."""
    shell = tool_shell(set_or(ground.config.shell, None), ground.environ)
    return CommandRunner(
        commands=commands,
        sessions=ground.sessions,
        store=ground.store,
        abilities=abilities,
        prompts=prompts,
        references=references,
        shell=CommandShell(ground.directory, shell, ground.environ),
        on_initialized=lambda: ground.shared.projects.mark_initialized(ground.project.id),
    )
