"""``/session/{id}/command``: slash commands."""

from opencode.core.ids import SessionID
from opencode.http.answer import Raw
from opencode.http.operation import operation
from opencode.http.schema import AnsweredPrompt
from opencode.instance.instance import Instance
from opencode.session.inputs import CommandInput, InitInput

KNOWN = ("BadRequest", "NotFoundError", "ConflictError")


@operation("session.command", "POST", "/session/{sessionID}/command", errors=KNOWN, slow=True)
async def run_command(instance: Instance, session_id: SessionID, body: CommandInput) -> Raw[AnsweredPrompt]:
    """Run a slash command in a session and wait for the answer."""
    return Raw(await instance.command_runner.run(session_id, body))


@operation("session.init", "POST", "/session/{sessionID}/init", errors=KNOWN, slow=True)
async def init_session(instance: Instance, session_id: SessionID, body: InitInput) -> bool:
    """Look at the project and write its ``AGENTS.md``."""
    await instance.command_runner.init(session_id, body)
    return True


operations = (run_command, init_session)
