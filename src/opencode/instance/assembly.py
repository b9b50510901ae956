"""Puts the server together: what is shared, and behind it the directories as they are asked for."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path

import anyio
import anyio.to_thread

from opencode.auth.store import CredentialStore
from opencode.auth.well_known import WellKnown
from opencode.config.environment import Environment
from opencode.config.service import ConfigService
from opencode.core.clock import Clock, SystemClock
from opencode.core.ids import IdGenerator, ProjectID
from opencode.core.leftovers import end_leftovers
from opencode.core.log import Logger
from opencode.core.paths import Paths
from opencode.core.process import marked
from opencode.core.tasks import BackgroundJobs, task_group
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import decode
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import EventScope
from opencode.event.server_events import ModelsDevRefreshed
from opencode.instance.instance import Instance
from opencode.instance.live_parts import LiveParts
from opencode.instance.registry import MOST, PROCESS, open_registry
from opencode.instance.shared import Shared
from opencode.instance.tui import TuiControl
from opencode.project.service import ProjectService, TellMoved
from opencode.provider.catalogue import open_catalogue
from opencode.provider.local import LocalServers
from opencode.session.schema import Session, SessionUpdated
from opencode.session.search import open_search
from opencode.session.share import Sharing
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.storage.database import Database, Transaction, open_database
from opencode.transfer.service import SessionImports

log = Logger("server")

USER_AGENT = f"opencode-server/{SERVER_VERSION}"
BACKGROUND_JOBS = 16
CLEAN_EVERY_SECONDS = 3600


@asynccontextmanager
async def open_shared(environment: Environment, paths: Paths, clock: Clock | None = None) -> AsyncIterator[Shared]:
    """Own the data directory, end and settle what a killed process left running, open what all directories share.

    Raises the errors of ``storage/errors.py`` when the data directory cannot be used.
    """
    clock = clock or SystemClock()
    ids = IdGenerator(clock)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(paths.database, clock=clock))
        environment = await own_processes(environment, database)
        event_log = await open_event_log(database, clock)
        bus = EventBus(event_log, ids, clock)
        stack.callback(bus.close)
        await settle_earlier_runs(database, bus, clock)
        tasks = await stack.enter_async_context(task_group())
        stack.callback(tasks.cancel_scope.cancel)
        jobs = BackgroundJobs(tasks, limit=BACKGROUND_JOBS, service="server")
        local_servers = LocalServers(environment.values)
        jobs.start("find local model servers", local_servers.discover)
        jobs.start("trim the event log", event_log.keep_trimmed)
        jobs.start("clean saved tool outputs", lambda: keep_clean(paths.tool_output, clock))
        live_parts = LiveParts()
        bus.live_events = live_parts.events
        catalogue = await stack.enter_async_context(
            open_catalogue(paths, environment.values, USER_AGENT, tell_of_models(bus))
        )
        registry = await stack.enter_async_context(
            open_registry(
                lambda directory: open_directory(directory, shared),
                bus,
                clock,
                environment.positive("OPENCODE_MAX_DIRECTORIES") or MOST,
            )
        )
        credentials = CredentialStore(paths, environment.values)
        shared = Shared(
            environment=environment,
            paths=paths,
            clock=clock,
            ids=ids,
            database=database,
            bus=bus,
            projects=ProjectService(database, bus, clock, environment.values, tell_moved(bus)),
            credentials=credentials,
            well_known=WellKnown(credentials, environment),
            catalogue=catalogue,
            local_servers=local_servers,
            config=ConfigService(paths, environment),
            jobs=jobs,
            live_parts=live_parts,
            imports=SessionImports(database, bus, clock),
            search=await stack.enter_async_context(open_search(database, paths.search_index)),
            sharing=Sharing(database, clock),
            tui=TuiControl(),
            registry=registry,
        )
        jobs.start("load what directories need", load_directories)
        jobs.start("go on where something waits", lambda: open_where_something_waits(shared))
        yield shared


def open_directory(directory: Path, shared: Shared) -> AbstractAsyncContextManager[Instance]:
    """The instance of a directory."""
    from opencode.instance.open import open_instance  # half of the program, and nothing a start waits for

    return open_instance(directory, shared)


async def load_directories() -> None:
    """Load the rest of the program, so that the first directory does not wait for it."""
    await anyio.to_thread.run_sync(import_module, "opencode.instance.open")


async def open_where_something_waits(shared: Shared) -> None:
    """Open the directories with queued prompts, which have their turn now, and with asks, which may have a deadline."""
    query = (
        "SELECT directory FROM queued_prompt WHERE NOT held"
        " UNION SELECT directory FROM permission_request UNION SELECT directory FROM question_request"
    )
    for (directory,) in shared.database.read(query):
        try:
            await shared.registry.open(directory)
        except Exception:
            log.exception("a directory where something waits could not be opened", directory=directory)


def tell_moved(bus: EventBus) -> TellMoved:
    """Tells clients of a session that came to a project with its directory."""

    def tell(tx: Transaction, scope: EventScope, record: bytes) -> None:
        session = decode(record, Session)
        bus.scoped(scope).append(tx, SessionUpdated(session_id=session.id, info=session))

    return tell


def tell_of_models(bus: EventBus) -> Callable[[], None]:
    """Tells the streams of the whole server that the catalogue of models is a new one."""
    return lambda: bus.scoped(PROCESS).publish(ModelsDevRefreshed())


async def keep_clean(directory: Path, clock: Clock) -> None:
    """Remove saved tool outputs that are too old, every hour. Runs until cancelled."""
    from opencode.tool.truncate import clean_outputs  # nothing a start waits for

    while True:
        await anyio.to_thread.run_sync(clean_outputs, directory, clock.now_ms())
        await anyio.sleep(CLEAN_EVERY_SECONDS)


async def own_processes(environment: Environment, database: Database) -> Environment:
    """The environment with the mark of the data directory; what a killed server left running under it is ended."""
    ownership = database.ownership
    if ownership.follows_a_crash and (count := await end_leftovers(ownership.mark)):
        log.warning("ended commands of a server that was killed", groups=count)
    return Environment(marked(environment.values, ownership.mark))


async def settle_earlier_runs(database: Database, bus: EventBus, clock: Clock) -> None:
    """Settle the sessions of every directory that ran when the last process ended (``loop/repair.py``)."""
    query = "SELECT DISTINCT run.directory, session.project_id FROM run LEFT JOIN session ON session.id = session_id"
    if not (found := database.read(query)):
        return
    from opencode.loop.repair import repair_sessions  # only after a crash

    for directory, project_id in found:
        project = None if project_id is None else ProjectID(project_id)
        events = bus.scoped(EventScope(directory=directory, project=project))
        await repair_sessions(SqliteSessionStore(database, events, clock, directory), clock)
