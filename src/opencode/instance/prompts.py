"""The agent loop of one directory, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from opencode.core.ids import SessionID
from opencode.core.tasks import BackgroundJobs, task_group
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import set_or
from opencode.instance.ground import Ground
from opencode.instance.upkeep import let_go_of_old_snapshots
from opencode.loop.admission import Admission
from opencode.loop.compaction import Compaction
from opencode.loop.expand import PartExpander
from opencode.loop.instructions import InstructionFiles
from opencode.loop.late_ends import LateEnds
from opencode.loop.loop import AgentLoop
from opencode.loop.open_parts import OpenParts
from opencode.loop.processor import StepServices
from opencode.loop.prompt import PromptService
from opencode.loop.prompt_files import PromptFiles
from opencode.loop.prompt_text import prompt_text
from opencode.loop.prune import Pruner
from opencode.loop.reminders import Reminders
from opencode.loop.request import RequestBuilder
from opencode.loop.revert import Reverts
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
from opencode.loop.status import SessionStatuses
from opencode.loop.step import Abilities, StepRunner, Writing
from opencode.loop.summary_step import SummarySteps
from opencode.loop.system_prompt import Surroundings, SystemPrompt
from opencode.loop.title import TitleMaker
from opencode.loop.turn_summary import TurnSummaries
from opencode.question.service import QuestionService
from opencode.skill.service import SkillService
from opencode.tool.builtin.read import ReadTool
from opencode.tool.shell_choice import user_shell

BACKGROUND_JOBS = 256
"""Titles and the like that may run at once in one directory."""


@asynccontextmanager
async def open_prompts(
    ground: Ground,
    abilities: Abilities,
    skills: SkillService,
    questions: QuestionService,
    instructions: InstructionFiles,
    read: ReadTool,
) -> AsyncIterator[PromptService]:
    """The way into the loop; on exit everything that runs is stopped and settled."""
    shared, store, statuses = ground.shared, ground.store, SessionStatuses()
    open_parts = OpenParts(store, ground.events, shared.clock)
    services = StepServices(store, open_parts, statuses, ground.snapshots, shared.ids, shared.clock)
    requests = RequestBuilder(ground.environ, SERVER_VERSION)
    steps = StepRunner(
        services, abilities, _writing(ground, requests, skills, instructions), ground.directory, ground.worktree
    )
    summary_steps = SummarySteps(
        services, abilities.providers, requests, ground.directory, ground.worktree, ground.environ
    )
    compaction = Compaction(
        store,
        abilities.agents,
        abilities.providers,
        summary_steps,
        shared.ids,
        shared.clock,
        ground.config.compaction,
    )
    titles = TitleMaker(store, abilities.providers, abilities.agents, requests)
    files = PromptFiles(read, ground.directory, ground.worktree)
    summaries = TurnSummaries(store, ground.snapshots)
    pruner = Pruner(store, shared.clock, ground.config.compaction)
    expander = PartExpander(shared.ids, files.read)

    async def drop_asks(session_id: SessionID) -> None:
        await abilities.permissions.drop_session(session_id)
        await questions.drop_session(session_id)

    with shared.live_parts.include(ground.scope, open_parts):
        async with task_group() as tasks:
            jobs = BackgroundJobs(tasks, limit=BACKGROUND_JOBS, service="session")
            jobs.start("warm the default model", abilities.providers.warm_default)
            jobs.start("let go of old snapshots", partial(let_go_of_old_snapshots, ground))
            late_ends = LateEnds(store, shared.clock, jobs)
            runs = RunState(tasks, late_ends.later)
            yield PromptService(
                sessions=ground.sessions,
                store=store,
                admission=Admission(store, abilities.agents, abilities.providers, expander, shared.ids, shared.clock),
                loop=AgentLoop(
                    store, statuses, abilities, steps, titles, summaries, late_ends, compaction, pruner, jobs
                ),
                compaction=compaction,
                reverts=Reverts(ground.sessions, store, ground.snapshots, summaries),
                summaries=summaries,
                shell=_shell(ground, statuses),
                runs=runs,
                statuses=statuses,
                drop_asks=drop_asks,
                save_growing=open_parts.save_all,
            )
            await runs.close()
            tasks.cancel_scope.cancel()


def _writing(ground: Ground, requests: RequestBuilder, skills: SkillService, instructions: InstructionFiles) -> Writing:
    surroundings = Surroundings(ground.directory, ground.worktree, ground.project.vcs == "git")
    reminders = Reminders(
        prompt_text("plan_reminder"), prompt_text("build_switch"), prompt_text("max_steps"), ground.shared.ids
    )
    system_prompt = SystemPrompt(surroundings, instructions, skills.list, ground.shared.clock)
    return Writing(system_prompt, instructions, reminders, requests)


def _shell(ground: Ground, statuses: SessionStatuses) -> UserShell:
    return UserShell(
        store=ground.store,
        statuses=statuses,
        ids=ground.shared.ids,
        clock=ground.shared.clock,
        directory=ground.directory,
        worktree=ground.worktree,
        shell=user_shell(set_or(ground.config.shell, None), ground.environ),
        environ=ground.environ,
    )
