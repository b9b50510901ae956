"""``/session``: sessions, and what is known of one."""

from typing import Literal

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.answer import Raw
from opencode.http.operation import operation
from opencode.http.schema import QueryCount, QueryFlag
from opencode.instance.instance import Instance
from opencode.session.inputs import (
    CreateSession,
    ForkSession,
    RevertInput,
    SessionFilter,
    SummarizeInput,
    UpdateSession,
)
from opencode.session.schema import Number, Session, SessionStatus, SnapshotFileDiff, Todo

KNOWN = ("BadRequest", "NotFoundError")
BUSY = ("BadRequest", "NotFoundError", "SessionBusyError")


class SessionQuery(Wire):
    """Which sessions to list. ``start``: updated since, in ms; ``path``: below this path of the worktree."""

    directory: str | UnsetType = UNSET
    scope: Literal["project"] | UnsetType = UNSET
    path: str | UnsetType = UNSET
    roots: QueryFlag | UnsetType = UNSET
    start: Number | UnsetType = UNSET
    search: str | UnsetType = UNSET
    limit: QueryCount | UnsetType = UNSET


class CreateSessionBody(CreateSession):
    """A new session; older clients name its directory here."""

    directory: str | UnsetType = UNSET


class DiffQuery(Wire):
    """The user message whose turn is meant."""

    message_id: MessageID | UnsetType = UNSET


@operation("session.list", "GET", "/session")
def list_sessions(instance: Instance, query: SessionQuery) -> Raw[list[Session]]:
    """Sessions of the project, newest update first."""
    wanted = SessionFilter(
        directory=str(instance.directory) if set_or(query.directory, "") else None,
        roots=set_or(query.roots, False),
        start=set_or(query.start, None),
        search=set_or(query.search, None),
        limit=set_or(query.limit, None),
        scope=set_or(query.scope, None),
        path=set_or(query.path, None),
    )
    return Raw(instance.sessions.list_raw(wanted))


@operation("session.create", "POST", "/session", errors=("NotFoundError",), directory_in_body=True)
async def create_session(instance: Instance, body: CreateSessionBody) -> Session:
    """Create a session in the directory."""
    return await instance.shares.share_new(await instance.sessions.create(body))


@operation("session.status", "GET", "/session/status", errors=("BadRequest",))
def session_status(instance: Instance) -> dict[SessionID, SessionStatus]:
    """Sessions that are not idle, and what they do."""
    return instance.prompts.statuses()


@operation("session.get", "GET", "/session/{sessionID}", errors=KNOWN)
def get_session(instance: Instance, session_id: SessionID) -> Raw[Session]:
    """One session."""
    return Raw(instance.sessions.get_raw(session_id))


@operation("session.delete", "DELETE", "/session/{sessionID}", errors=KNOWN)
async def delete_session(instance: Instance, session_id: SessionID) -> bool:
    """Stop a session and remove it with its children."""
    await instance.prompts.delete_session(session_id)
    return True


@operation("session.update", "PATCH", "/session/{sessionID}", errors=("NotFoundError",))
async def update_session(instance: Instance, session_id: SessionID, body: UpdateSession) -> Session:
    """Change title, metadata or archive date of a session, or add permission rules."""
    return await instance.sessions.update(session_id, body)


@operation("session.children", "GET", "/session/{sessionID}/children", errors=KNOWN)
async def list_children(instance: Instance, session_id: SessionID) -> list[Session]:
    """Direct children of a session."""
    return await instance.sessions.children(session_id)


@operation("session.todo", "GET", "/session/{sessionID}/todo", errors=KNOWN)
async def list_todos(instance: Instance, session_id: SessionID) -> list[Todo]:
    """The task list of a session."""
    return await instance.sessions.todos(session_id)


@operation("session.diff", "GET", "/session/{sessionID}/diff", errors=("NotFoundError",))
async def get_diff(instance: Instance, session_id: SessionID, query: DiffQuery) -> list[SnapshotFileDiff]:
    """What a session, or one turn of it, changed in files."""
    return await instance.prompts.diff(session_id, set_or(query.message_id, None))


@operation("session.fork", "POST", "/session/{sessionID}/fork", errors=KNOWN)
async def fork_session(instance: Instance, session_id: SessionID, body: ForkSession) -> Session:
    """Copy a session up to a message into a new one."""
    return await instance.shares.share_new(await instance.sessions.fork(session_id, body))


@operation("session.summarize", "POST", "/session/{sessionID}/summarize", errors=KNOWN, slow=True)
async def summarize_session(instance: Instance, session_id: SessionID, body: SummarizeInput) -> bool:
    """Condense the history of a session, and wait until that is done."""
    await instance.prompts.summarize(session_id, body)
    return True


@operation("session.revert", "POST", "/session/{sessionID}/revert", errors=BUSY)
async def revert_session(instance: Instance, session_id: SessionID, body: RevertInput) -> Session:
    """Go back to a message, with the files as they were then."""
    return await instance.prompts.revert(session_id, body)


@operation("session.unrevert", "POST", "/session/{sessionID}/unrevert", errors=BUSY)
async def unrevert_session(instance: Instance, session_id: SessionID) -> Session:
    """Take a revert back."""
    return await instance.prompts.unrevert(session_id)


@operation("session.abort", "POST", "/session/{sessionID}/abort", errors=KNOWN)
async def abort_session(instance: Instance, session_id: SessionID) -> bool:
    """Stop whatever runs in a session."""
    await instance.prompts.abort(session_id)
    return True


operations = (
    list_sessions,
    create_session,
    session_status,
    get_session,
    delete_session,
    update_session,
    list_children,
    list_todos,
    get_diff,
    abort_session,
    fork_session,
    revert_session,
    unrevert_session,
    summarize_session,
)
