"""Builds the object graph of one directory, and takes it down in reverse order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from opencode.agent.service import AgentService
from opencode.command.service import CommandService
from opencode.config.load import load_config_with_problems
from opencode.core.process import owned_environment
from opencode.core.version import API_VERSION
from opencode.core.wire import set_or
from opencode.event.bus import EventPublisher
from opencode.event.schema import EventScope
from opencode.instance.ground import Ground
from opencode.instance.instance import Instance
from opencode.instance.prompts import open_prompts
from opencode.instance.shared import Shared
from opencode.instance.tools import open_tools
from opencode.loop.instructions import InstructionFiles
from opencode.loop.orphans import Orphans
from opencode.loop.step import Abilities
from opencode.permission.service import PermissionService
from opencode.project.vcs import Vcs
from opencode.provider.service import open_providers
from opencode.question.service import QuestionService
from opencode.session.schema import MessageText, SessionErrored, UnknownError
from opencode.session.service import SessionPlace, SessionService
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.skill.service import load_skills


@asynccontextmanager
async def open_instance(directory: Path, shared: Shared) -> AsyncIterator[Instance]:
    """Everything the server holds for one directory; asks of an earlier process are offered again.

    Publishes ``server.instance.disposed`` at the end. Raises what keeps the directory from being opened:
    ``ConfigInvalidError``, ``ConfigJsonError``, ...
    """
    async with AsyncExitStack() as stack:
        ground = await open_ground(directory, shared, stack)
        skills = await load_skills(
            ground.config, directory, ground.worktree, shared.paths, shared.environment, report_to(ground.events)
        )
        agents = AgentService(ground.config, shared.paths, ground.worktree, skills.directories())
        permissions, questions, orphans = asking(ground)
        instructions = InstructionFiles(directory, ground.worktree, shared.paths, ground.config, shared.environment)
        tools, read = open_tools(ground, questions, instructions)
        providers = await stack.enter_async_context(
            open_providers(
                config=ground.config,
                catalogue=shared.catalogue,
                credentials=shared.credentials,
                local=shared.local_servers,
                paths=shared.paths,
                environ=ground.environ,
            )
        )
        abilities = Abilities(agents, providers, tools, permissions)
        prompts = await stack.enter_async_context(open_prompts(ground, abilities, questions, instructions, read))
        orphans.resume = prompts.resume
        await permissions.restore()
        await questions.restore()
        yield Instance(
            directory=directory,
            worktree=ground.worktree,
            project=ground.project,
            config=ground.config,
            events=ground.events,
            sessions=ground.sessions,
            prompts=prompts,
            permissions=permissions,
            questions=questions,
            agents=agents,
            commands=CommandService(set_or(ground.config.command, {}), skills.list(), ground.worktree),
            skills=skills,
            providers=providers,
            tools=tools,
            vcs=Vcs(directory, ground.worktree, ground.project, shared.projects.git),
        )


async def open_ground(directory: Path, shared: Shared, stack: AsyncExitStack) -> Ground:
    """Resolve the project and read the configuration; unreadable definition files are told and left out."""
    resolved = await shared.projects.resolve(directory)
    worktree, project = resolved.worktree, resolved.project
    loaded = await load_config_with_problems(directory, worktree, shared.paths, shared.environment)
    scope = EventScope(directory=str(directory), project=project.id)
    events = shared.bus.scoped(scope)
    stack.callback(events.dispose)
    for problem in loaded.problems:
        report_to(events)(problem.message)
    store = SqliteSessionStore(shared.database, events, shared.clock, str(directory))
    place = SessionPlace(project.id, directory, worktree, API_VERSION)
    return Ground(
        directory=directory,
        worktree=worktree,
        project=project,
        config=loaded.config,
        environ=await stack.enter_async_context(owned_environment(shared.environment.values)),
        scope=scope,
        events=events,
        store=store,
        sessions=SessionService(store, shared.ids, shared.clock, place),
        shared=shared,
    )


def asking(ground: Ground) -> tuple[PermissionService, QuestionService, Orphans]:
    """What asks a person, and what becomes of answers that come after a restart."""
    shared = ground.shared
    orphans = Orphans(ground.store, shared.clock)
    common = (shared.database, ground.events, shared.ids, shared.clock, str(ground.directory))
    permissions = PermissionService(*common, orphans.permission_replied)
    return permissions, QuestionService(*common, orphans.question_answered), orphans


def report_to(events: EventPublisher) -> Callable[[str], None]:
    """Tells clients of a file that was left out, as ``session.error`` without a session."""

    def report(fault: str) -> None:
        events.publish(SessionErrored(error=UnknownError(data=MessageText(message=fault))))

    return report
