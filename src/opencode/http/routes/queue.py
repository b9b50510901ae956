"""``/session/{id}/queue``: prompts that nobody works on yet."""

from opencode.core.ids import MessageID, SessionID
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.loop.queue import QueuedPrompt

KNOWN = ("BadRequest", "NotFoundError")


@operation("session.queue.list", "GET", "/session/{sessionID}/queue", errors=KNOWN, source="ours")
async def list_queue(instance: Instance, session_id: SessionID) -> list[QueuedPrompt]:
    """Prompts of a session that nobody works on yet, in order."""
    return await instance.prompts.queue(session_id)


@operation("session.queue.resume", "POST", "/session/{sessionID}/queue", errors=KNOWN, source="ours")
async def resume_queue(instance: Instance, session_id: SessionID) -> list[QueuedPrompt]:
    """Go on with the queue of a session that an abort holds; answers what waits then."""
    return await instance.prompts.resume_queue(session_id)


@operation(
    "session.queue.cancel",
    "DELETE",
    "/session/{sessionID}/queue/{messageID}",
    errors=("BadRequest", "NotFoundError", "ConflictError"),
    source="ours",
)
async def cancel_queued(instance: Instance, session_id: SessionID, message_id: MessageID) -> bool:
    """Take a prompt out of the queue; 409 once it has its turn."""
    await instance.prompts.cancel_queued(session_id, message_id)
    return True


operations = (list_queue, resume_queue, cancel_queued)
