"""Who else does the work of a prompt: subagents, and the slash commands of one directory."""

from opencode.command.service import CommandService
from opencode.core.wire import UNSET, set_or
from opencode.instance.ground import Ground
from opencode.loop.abilities import Abilities
from opencode.loop.background_tasks import BackgroundSubagents
from opencode.loop.command import CommandRunner, CommandShell
from opencode.loop.prompt import PromptService
from opencode.loop.references import References
from opencode.loop.subagent import Subagents
from opencode.tool.shell_choice import tool_shell

BACKGROUND_SWITCH = "OPENCODE_EXPERIMENTAL_BACKGROUND_SUBAGENTS"
DEFAULT_DEPTH = 1
"""Subagents have no subagents of their own."""


def make_subagents(ground: Ground, references: References) -> Subagents:
    """The subagents, to be connected with the loop once there is one."""
    experimental = ground.config.experimental
    primary_tools: list[str] = [] if experimental is UNSET else set_or(experimental.primary_tools, [])
    depth = set_or(ground.config.subagent_depth, DEFAULT_DEPTH)
    return Subagents(ground.sessions, ground.store, references, depth=depth, primary_tools=primary_tools)


def make_background(ground: Ground, subagents: Subagents) -> BackgroundSubagents | None:
    """The subagents that may work in the background, where that is switched on."""
    return BackgroundSubagents(subagents) if ground.shared.environment.experimental(BACKGROUND_SWITCH) else None


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
