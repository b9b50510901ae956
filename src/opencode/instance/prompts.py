"""The agent loop of one directory and the way into it, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from opencode.core.ids import SessionID
from opencode.core.tasks import BackgroundJobs, task_group
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import set_or
from opencode.instance.ground import Ground
from opencode.instance.steps import make_compaction, make_expander, make_services, make_steps
from opencode.instance.upkeep import let_go_of_old_snapshots
from opencode.loop.abilities import Abilities
from opencode.loop.admission import Admission
from opencode.loop.compaction import Compaction
from opencode.loop.instructions import InstructionFiles
from opencode.loop.late_ends import LateEnds
from opencode.loop.loop import AgentLoop
from opencode.loop.processor import StepServices
from opencode.loop.prompt import PromptService
from opencode.loop.prompt_turns import PromptTurns
from opencode.loop.prune import Pruner
from opencode.loop.queue import PromptQueue
from opencode.loop.request import RequestBuilder
from opencode.loop.revert import Reverts
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
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
    services = make_services(ground, abilities.providers)
    requests = RequestBuilder(ground.environ, SERVER_VERSION)
    steps = make_steps(ground, abilities, services, requests, skills, instructions)
    compaction = make_compaction(ground, abilities, services, requests)
    titles = TitleMaker(ground.store, abilities.providers, abilities.agents, requests, services.budgets)
    pruner = Pruner(ground.store, ground.shared.clock, ground.config.compaction)
    with ground.shared.live_parts.include(ground.scope, services.open_parts):
        async with _working(ground) as work:
            loop = AgentLoop(
                ground.store,
                services.statuses,
                abilities,
                steps,
                titles,
                work.summaries,
                work.late_ends,
                compaction,
                pruner,
                work.jobs,
            )
            _start_upkeep(work.jobs, ground, abilities, questions)
            yield _way_in(ground, abilities, questions, read, services, work, loop, compaction)


@dataclass(frozen=True, slots=True)
class _Work:
    """What goes on in a directory whether or not somebody waits for it."""

    runs: RunState
    jobs: BackgroundJobs
    late_ends: LateEnds
    summaries: TurnSummaries


@asynccontextmanager
async def _working(ground: Ground) -> AsyncIterator[_Work]:
    async with task_group() as tasks:
        jobs = BackgroundJobs(tasks, limit=BACKGROUND_JOBS, service="session")
        late_ends = LateEnds(ground.store, ground.shared.clock, jobs)
        runs = RunState(tasks, late_ends.later)
        yield _Work(runs, jobs, late_ends, TurnSummaries(ground.store, ground.snapshots, tasks))
        await runs.close()
        tasks.cancel_scope.cancel()


def _start_upkeep(jobs: BackgroundJobs, ground: Ground, abilities: Abilities, questions: QuestionService) -> None:
    jobs.start("warm the default model", abilities.providers.warm_default)
    jobs.start("let go of old snapshots", partial(let_go_of_old_snapshots, ground))
    jobs.start("settle permissions that nobody can give", abilities.permissions.expire)
    jobs.start("settle questions that nobody can answer", questions.expire)


def _way_in(
    ground: Ground,
    abilities: Abilities,
    questions: QuestionService,
    read: ReadTool,
    services: StepServices,
    work: _Work,
    loop: AgentLoop,
    compaction: Compaction,
) -> PromptService:
    shared, store, statuses = ground.shared, ground.store, services.statuses
    expander = make_expander(ground, read)
    admission = Admission(store, abilities.agents, abilities.providers, expander, shared.ids, shared.clock)
    reverts = Reverts(ground.sessions, store, ground.snapshots, work.summaries)
    queue = PromptQueue(shared.database, store, ground.events, shared.ids, shared.clock, str(ground.directory))
    turns = PromptTurns(store, admission, work.runs, queue, loop, reverts)
    why = WhyService(
        store,
        work.runs,
        statuses,
        services,
        turns,
        abilities,
        questions,
        work.late_ends,
        lambda: shared.database.trouble,
    )

    async def drop_asks(session_id: SessionID) -> None:
        await abilities.permissions.drop_session(session_id)
        await questions.drop_session(session_id)

    return PromptService(
        sessions=ground.sessions,
        store=store,
        admission=admission,
        turns=turns,
        why=why,
        loop=loop,
        compaction=compaction,
        reverts=reverts,
        summaries=work.summaries,
        shell=_shell(ground, services),
        runs=work.runs,
        statuses=statuses,
        drop_asks=drop_asks,
        open_parts=services.open_parts,
    )


def _shell(ground: Ground, services: StepServices) -> UserShell:
    return UserShell(
        store=ground.store,
        statuses=services.statuses,
        ids=ground.shared.ids,
        clock=ground.shared.clock,
        directory=ground.directory,
        worktree=ground.worktree,
        shell=user_shell(set_or(ground.config.shell, None), ground.environ),
        environ=ground.environ,
    )
