"""Importing: sessions made elsewhere become sessions of this server (``transfer``)."""

from opencode.core.ids import SessionID
from opencode.core.version import API_VERSION
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.session.service import SessionPlace
from opencode.transfer.schema import ImportedSession, ImportSession, RestoreSession, SessionContent


@operation("session.import", "POST", "/session/import", errors=("ConflictError",), source="ours")
async def import_session(instance: Instance, shared: Shared, body: ImportSession) -> ImportedSession:
    """Make an exported session one of the directory; what is known of it already stays as it is."""
    place = SessionPlace(instance.project.id, instance.directory, instance.worktree, API_VERSION)
    return await shared.imports.adopt(body, place)


@operation("global.session.restore", "POST", "/global/session", errors=("ConflictError",), source="ours")
async def restore_session(shared: Shared, body: RestoreSession) -> ImportedSession:
    """Store a session of another data directory, with the project, directory and parent it had."""
    return await shared.imports.restore(body)


@operation(
    "global.session.content",
    "GET",
    "/global/session/{sessionID}",
    errors=("BadRequest", "NotFoundError"),
    source="ours",
)
async def session_content(shared: Shared, session_id: SessionID) -> SessionContent:
    """What is stored of a session, as digests to compare with."""
    return await shared.imports.content(session_id)


operations = (import_session, restore_session, session_content)
