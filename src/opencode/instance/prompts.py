"""The agent loop of one directory, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from opencode.core.ids import SessionID
from opencode.core.tasks import BackgroundJobs, task_group
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import set_or
from opencode.instance.ground import Ground
from opencode.instance.spending import budget_limits, fallbacks, retry_budgets
from opencode.instance.steps import make_compaction, make_expander, make_steps
from opencode.instance.upkeep import let_go_of_old_snapshots
from opencode.loop.abilities import Abilities
from opencode.loop.admission import Admission
from opencode.loop.budgets import Budgets
from opencode.loop.instructions import InstructionFiles
from opencode.loop.late_ends import LateEnds
from opencode.loop.loop import AgentLoop
from opencode.loop.open_parts import OpenParts
from opencode.loop.processor import StepServices
from opencode.loop.prompt import PromptService
from opencode.loop.prompt_turns import PromptTurns
from opencode.loop.prune import Pruner
from opencode.loop.queue import PromptQueue
from opencode.loop.request import RequestBuilder
from opencode.loop.revert import Reverts
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
from opencode.loop.status import SessionStatuses
from opencode.loop.title import TitleMaker
from opencode.loop.turn_summary import TurnSummaries
from opencode.loop.why import WhyService
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
    shared, store, statuses = ground.shared, ground.store, SessionStatuses(ground.shared.clock)
    open_parts = OpenParts(store, ground.events, shared.clock)
    services = StepServices(
        store,
        open_parts,
        statuses,
        ground.snapshots,
        shared.ids,
        shared.clock,
        retries=retry_budgets(ground.config),
        fallbacks=fallbacks(ground.config, abilities.providers),
        budgets=Budgets(store, shared.clock, budget_limits(ground.config)),
    )
    requests = RequestBuilder(ground.environ, SERVER_VERSION)
    steps = make_steps(ground, abilities, services, requests, skills, instructions)
    compaction = make_compaction(ground, abilities, services, requests)
    titles = TitleMaker(store, abilities.providers, abilities.agents, requests, services.budgets)
    pruner = Pruner(store, shared.clock, ground.config.compaction)
    expander = make_expander(ground, read)

    async def drop_asks(session_id: SessionID) -> None:
        await abilities.permissions.drop_session(session_id)
        await questions.drop_session(session_id)

    with shared.live_parts.include(ground.scope, open_parts):
        async with task_group() as tasks:
            jobs = BackgroundJobs(tasks, limit=BACKGROUND_JOBS, service="session")
            summaries = TurnSummaries(store, ground.snapshots, tasks)
            jobs.start("warm the default model", abilities.providers.warm_default)
            jobs.start("let go of old snapshots", partial(let_go_of_old_snapshots, ground))
            jobs.start("settle permissions that nobody can give", abilities.permissions.expire)
            jobs.start("settle questions that nobody can answer", questions.expire)
            late_ends = LateEnds(store, shared.clock, jobs)
            runs = RunState(tasks, late_ends.later)
            admission = Admission(store, abilities.agents, abilities.providers, expander, shared.ids, shared.clock)
            loop = AgentLoop(store, statuses, abilities, steps, titles, summaries, late_ends, compaction, pruner, jobs)
            reverts = Reverts(ground.sessions, store, ground.snapshots, summaries)
            queue = PromptQueue(shared.database, store, ground.events, shared.ids, shared.clock, str(ground.directory))
            turns = PromptTurns(store, admission, runs, queue, loop, reverts)
            yield PromptService(
                sessions=ground.sessions,
                store=store,
                admission=admission,
                turns=turns,
                why=WhyService(
                    store,
                    runs,
                    statuses,
                    services,
                    turns,
                    abilities,
                    questions,
                    late_ends,
                    lambda: shared.database.trouble,
                ),
                loop=loop,
                compaction=compaction,
                reverts=reverts,
                summaries=summaries,
                shell=_shell(ground, statuses),
                runs=runs,
                statuses=statuses,
                drop_asks=drop_asks,
                open_parts=open_parts,
            )
            await runs.close()
            tasks.cancel_scope.cancel()


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
