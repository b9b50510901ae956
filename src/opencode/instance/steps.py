"""What the agent loop of one directory is made of: its steps, their words, their tools."""

from functools import partial

from opencode.core.wire import UNSET
from opencode.instance.ground import Ground
from opencode.instance.planning import plan_mode
from opencode.instance.spending import budget_limits, fallbacks, retry_budgets
from opencode.loop.abilities import Abilities
from opencode.loop.budgets import Budgets
from opencode.loop.compaction import Compaction
from opencode.loop.expand import PartExpander
from opencode.loop.file_parts import FileParts
from opencode.loop.instructions import InstructionFiles
from opencode.loop.open_parts import OpenParts
from opencode.loop.processor import StepServices
from opencode.loop.prompt_files import PromptFiles
from opencode.loop.prompt_text import prompt_text
from opencode.loop.reminders import Reminders, StepNotes
from opencode.loop.request import RequestBuilder
from opencode.loop.resource_parts import ResourceParts
from opencode.loop.status import SessionStatuses
from opencode.loop.step import StepRunner, Writing
from opencode.loop.step_tools import StepSettings, StepTools
from opencode.loop.summary_step import SummarySteps
from opencode.loop.system_prompt import Surroundings, SystemPrompt
from opencode.provider.service import ProviderService
from opencode.session.changes import Tell
from opencode.session.schema import MessageText, SessionErrored, UnknownError, UserMessage
from opencode.session.store import SessionStore
from opencode.skill.service import SkillService
from opencode.tool.builtin.read import ReadTool
from opencode.tool.images import ImageLimits


def make_services(ground: Ground, providers: ProviderService) -> StepServices:
    """What all steps share, and remember of each other."""
    shared, config = ground.shared, ground.config
    return StepServices(
        ground.store,
        OpenParts(ground.store, ground.events, shared.clock),
        SessionStatuses(shared.clock),
        ground.snapshots,
        shared.ids,
        shared.clock,
        retries=retry_budgets(config),
        fallbacks=fallbacks(config, providers),
        budgets=Budgets(ground.store, shared.clock, budget_limits(config)),
    )


def make_steps(
    ground: Ground,
    abilities: Abilities,
    services: StepServices,
    requests: RequestBuilder,
    skills: SkillService,
    instructions: InstructionFiles,
) -> StepRunner:
    """What runs one step of a turn."""
    surroundings = Surroundings(ground.directory, ground.worktree, ground.project.vcs == "git")
    system_prompt = SystemPrompt(surroundings, instructions, skills.list, ground.shared.clock)
    in_memory = Reminders(prompt_text("plan_reminder"), prompt_text("build_switch"), ground.shared.ids)
    notes = StepNotes(prompt_text("max_steps"), prompt_text("structured_retry"))
    writing = Writing(system_prompt, instructions, plan_mode(ground) or in_memory, notes, requests)
    tools = StepTools(services, abilities, _settings(ground), ground.directory, ground.worktree)
    return StepRunner(services, abilities, writing, tools, ground.directory, ground.worktree)


def make_compaction(
    ground: Ground, abilities: Abilities, services: StepServices, requests: RequestBuilder
) -> Compaction:
    """What condenses histories."""
    shared, config = ground.shared, ground.config.compaction
    steps = SummarySteps(services, abilities.providers, requests, ground.directory, ground.worktree, ground.environ)
    return Compaction(ground.store, abilities.agents, abilities.providers, steps, shared.ids, shared.clock, config)


def make_expander(ground: Ground, read: ReadTool) -> PartExpander:
    """What turns the parts of a prompt into stored parts."""
    files = PromptFiles(read, ground.directory, ground.worktree)
    tell_unreadable = partial(_tell_unreadable, ground.store)
    parts = FileParts(files.read, files.count_as_read, tell_unreadable)
    return PartExpander(ground.shared.ids, parts, ResourceParts(), ImageLimits.from_config(ground.config.attachment))


def _settings(ground: Ground) -> StepSettings:
    experimental = ground.config.experimental
    if experimental is UNSET:
        return StepSettings()
    return StepSettings(
        goes_on_when_refused=experimental.continue_loop_on_deny is True,
        repetitions_across_steps=experimental.doom_loop_steps is True,
    )


async def _tell_unreadable(store: SessionStore, message: UserMessage, problem: str) -> None:
    error = UnknownError(data=MessageText(message=problem))
    await store.commit(Tell(SessionErrored(session_id=message.session_id, error=error)))
