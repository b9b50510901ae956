"""``/session/{id}/why``: what a session waits for."""

from opencode.core.ids import SessionID
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.loop.waits import SessionWhy


@operation("session.why", "GET", "/session/{sessionID}/why", errors=("BadRequest", "NotFoundError"), source="ours")
async def explain(instance: Instance, session_id: SessionID) -> SessionWhy:
    """What a session waits for, since when, until when, and what would release it."""
    return instance.prompts.why(session_id)


operations = (explain,)
