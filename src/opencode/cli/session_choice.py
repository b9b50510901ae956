"""Which session, agent and model a run uses (spec: CLI, section 4)."""

from typing import Final

from opencode.cli.errors import CliError
from opencode.cli.message import session_title
from opencode.cli.options import RunOptions
from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed
from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import UNSET
from opencode.permission.schema import PermissionRule, PermissionRuleset
from opencode.provider.schema import ModelRef
from opencode.session.inputs import CreateSession
from opencode.session.schema import Session

NOBODY_ANSWERS: Final = ("question", "plan_enter", "plan_exit")


def check_options(options: RunOptions) -> None:
    """Raises ``CliError`` for options that do not go together."""
    if options.fork and not (options.continue_ or options.session):
        raise CliError("--fork needs --continue or --session")


async def choose_session(client: OpenCodeClient, options: RunOptions, message: str) -> Session:
    """The session named, the newest one, or a new one; its copy with ``--fork``."""
    known = await _known_session(client, options)
    if known is None:
        title = session_title(options.title, message)
        return await client.create_session(CreateSession(title=title or UNSET, permission=_unattended_rules()))
    return await client.fork(known.id) if options.fork else known


async def choose_agent(client: OpenCodeClient, name: str | None) -> tuple[str | None, str | None]:
    """The agent to name in the prompt (``None``: the default), and a warning when it is not the one wanted."""
    if name is None:
        return None, None
    agent = next((agent for agent in await client.agents() if agent.name == name), None)
    if agent is None:
        return None, f'agent "{name}" not found. Falling back to default agent'
    if agent.mode == "subagent":
        return None, f'agent "{name}" is a subagent, not a primary agent. Falling back to default agent'
    return name, None


def parse_model(text: str | None) -> ModelRef | None:
    """``provider/model``; the model's id may have more slashes. Raises ``CliError``."""
    if text is None:
        return None
    provider, slash, model = text.partition("/")
    if not (provider and slash and model):
        raise CliError(f"--model takes provider/model, not {text!r}")
    return ModelRef(provider_id=ProviderID(provider), model_id=ModelID(model))


async def _known_session(client: OpenCodeClient, options: RunOptions) -> Session | None:
    if options.session:
        try:
            return await client.session(options.session)
        except RequestFailed as error:
            raise CliError("Session not found" if error.status == 404 else str(error)) from error
    if options.continue_:
        return next(iter(await client.sessions(roots=True, limit=1)), None)
    return None


def _unattended_rules() -> PermissionRuleset:
    """What a run without a person in it must not wait for."""
    return [PermissionRule(permission=name, pattern="*", action="deny") for name in NOBODY_ANSWERS]
