"""Builds the object graph of one directory, and takes it down in reverse order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from opencode.agent.service import AgentService
from opencode.command.service import CommandService
from opencode.config.load import load_config_with_problems
from opencode.config.schema import Config
from opencode.core.process import owned_environment
from opencode.core.version import API_VERSION
from opencode.core.wire import UNSET, set_or
from opencode.event.bus import EventPublisher
from opencode.event.schema import EventScope
from opencode.event.unattended import Unattended
from opencode.file.browser import FileBrowser
from opencode.file.gateway import FileGateway
from opencode.file.lookup import FileLookup
from opencode.file.search import open_search
from opencode.instance.chat import ChatService
from opencode.instance.delegation import make_command_runner, make_delegates
from opencode.instance.ground import Ground
from opencode.instance.instance import Instance
from opencode.instance.prompts import open_prompts
from opencode.instance.shared import Shared
from opencode.instance.tools import open_tools
from opencode.loop.abilities import Abilities
from opencode.loop.instructions import InstructionFiles
from opencode.loop.orphans import Orphans
from opencode.permission.service import PermissionService
from opencode.project.vcs import Vcs
from opencode.provider.service import ProviderService, open_providers
from opencode.provider.sign_in.service import SignIns, open_sign_ins
from opencode.question.service import QuestionService
from opencode.session.schema import MessageText, SessionErrored, UnknownError
from opencode.session.service import SessionPlace, SessionService
from opencode.session.share import ShareMode, ShareService
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.skill.service import SkillService, load_skills
from opencode.snapshot.service import open_snapshots
from opencode.snapshot.working_copy import WorkingCopy


@asynccontextmanager
async def open_instance(directory: Path, shared: Shared) -> AsyncIterator[Instance]:
    """Everything the server holds for one directory; asks of an earlier process are offered again.

    Publishes ``server.instance.disposed`` at the end. Raises what keeps the directory from being opened:
    ``ConfigInvalidError``, ``ConfigJsonError``, ...
    """
    async with AsyncExitStack() as stack:
        ground = await open_ground(directory, shared, stack)
        skills, agents = await open_definitions(ground)
        permissions, questions, orphans = asking(ground)
        instructions = InstructionFiles(
            directory, ground.worktree, shared.paths, ground.config, shared.environment, ground.confinement
        )
        delegates = make_delegates(ground, agents)
        tools, read = open_tools(
            ground, agents, skills, questions, instructions, delegates.subagents.run, delegates.start
        )
        providers, sign_ins = await open_models(ground, stack)
        abilities = Abilities(agents, providers, tools, permissions)
        prompts = await stack.enter_async_context(
            open_prompts(ground, abilities, skills, questions, instructions, read)
        )
        orphans.resume = prompts.resume
        await stack.enter_async_context(delegates.connected(prompts))
        commands = CommandService(set_or(ground.config.command, {}), skills.list(), ground.worktree)
        await permissions.restore()
        await questions.restore()
        await prompts.turns.restore()
        vcs = Vcs(directory, ground.worktree, ground.project, shared.projects.git)
        yield Instance(
            directory=directory,
            worktree=ground.worktree,
            project=ground.project,
            config=ground.config,
            events=ground.events,
            sessions=ground.sessions,
            shares=ShareService(shared.sharing, shared.database, ground.store, share_mode(ground)),
            prompts=prompts,
            snapshots=ground.snapshots,
            permissions=permissions,
            questions=questions,
            agents=agents,
            commands=commands,
            command_runner=make_command_runner(ground, commands, abilities, prompts, delegates.references),
            skills=skills,
            providers=providers,
            sign_ins=sign_ins,
            tools=tools,
            vcs=vcs,
            files=FileBrowser(FileGateway(directory, ground.worktree)),
            lookup=FileLookup(open_search(ground.environ), directory),
            working_copy=WorkingCopy(ground.snapshots, directory, ground.worktree, vcs.committed_tree),
            chat=ChatService(str(directory), ground.sessions, prompts, providers, skills, tools),
            environ=ground.environ,
        )


async def open_ground(directory: Path, shared: Shared, stack: AsyncExitStack) -> Ground:
    """Resolve the project and read the configuration; unreadable definition files are told and left out."""
    resolved = await shared.projects.resolve(directory)
    worktree, project = resolved.worktree, resolved.project
    organisations = await shared.well_known.load()
    environment = organisations.added_to(shared.environment)
    loaded = await load_config_with_problems(directory, worktree, shared.paths, environment, organisations.configs)
    scope = EventScope(directory=str(directory), project=project.id)
    events = shared.bus.scoped(scope)
    stack.callback(events.dispose)
    for problem in loaded.problems:
        report_to(events)(problem.message)
    snapshots = open_snapshots(
        data=shared.paths.data,
        project_id=project.id,
        directory=directory,
        worktree=worktree,
        git=shared.projects.git,
        environ=shared.environment.values,
        enabled=project.vcs == "git" and loaded.config.snapshot is not False,
    )
    store = SqliteSessionStore(shared.database, events, shared.clock, str(directory))
    place = SessionPlace(project.id, directory, worktree, API_VERSION)
    return Ground(
        directory=directory,
        worktree=worktree,
        project=project,
        config=loaded.config,
        confinement=loaded.confinement,
        environ=await stack.enter_async_context(owned_environment(environment.for_commands())),
        scope=scope,
        events=events,
        store=store,
        snapshots=snapshots,
        sessions=SessionService(store, shared.ids, shared.clock, place),
        shared=shared,
    )


async def open_definitions(ground: Ground) -> tuple[SkillService, AgentService]:
    """What files define for a directory: its skills, and the agents, who may read the skills."""
    shared, directory, worktree = ground.shared, ground.directory, ground.worktree
    skills = await load_skills(
        ground.config, directory, worktree, shared.paths, shared.environment, report_to(ground.events)
    )
    root = directory if str(worktree) == "/" else worktree
    return skills, AgentService(ground.config, shared.paths, root, skills.directories())


async def open_models(ground: Ground, stack: AsyncExitStack) -> tuple[ProviderService, SignIns]:
    """Who answers, and how to sign in there."""
    shared = ground.shared
    providers = await stack.enter_async_context(
        open_providers(
            config=ground.config,
            catalogue=shared.catalogue,
            credentials=shared.credentials,
            local=shared.local_servers,
            paths=shared.paths,
            environ=ground.environ,
            confinement=ground.confinement,
            clock=shared.clock,
        )
    )
    sign_ins = await stack.enter_async_context(
        open_sign_ins(
            store=shared.credentials,
            options_of=providers.options_of,
            refusal_of=providers.sign_in_refusal,
            clock=shared.clock,
        )
    )
    return providers, sign_ins


def asking(ground: Ground) -> tuple[PermissionService, QuestionService, Orphans]:
    """What asks a person, and what becomes of answers that come after a restart."""
    shared = ground.shared
    orphans = Orphans(ground.store, shared.clock)
    common = (shared.database, ground.events, shared.ids, shared.clock, str(ground.directory))
    alone = unattended(ground.config)
    permissions = PermissionService(
        *common, orphans.permission_replied, unattended=alone, on_orphan_failed=orphans.unanswered
    )
    questions = QuestionService(
        *common, orphans.keep_answers, orphans.question_answered, unattended=alone, on_orphan_failed=orphans.unanswered
    )
    return permissions, questions, orphans


def unattended(config: Config) -> Unattended:
    """The policy for requests that nobody is there to answer."""
    wanted = UNSET if config.server is UNSET else config.server.unattended
    if wanted is UNSET:
        return Unattended()
    usual = Unattended()
    return Unattended(set_or(wanted.policy, usual.policy), set_or(wanted.after_seconds, usual.after_seconds))


def share_mode(ground: Ground) -> ShareMode:
    """When sessions are shared; variables of the environment go before the configuration."""
    if ground.shared.environment.flag("OPENCODE_DISABLE_SHARE"):
        return "disabled"
    configured: ShareMode = set_or(ground.config.share, "manual")
    if configured == "manual" and ground.shared.environment.flag("OPENCODE_AUTO_SHARE"):
        return "auto"
    return configured


def report_to(events: EventPublisher) -> Callable[[str], None]:
    """Tells clients of a file that was left out, as ``session.error`` without a session."""

    def report(fault: str) -> None:
        events.publish(SessionErrored(error=UnknownError(data=MessageText(message=fault))))

    return report
