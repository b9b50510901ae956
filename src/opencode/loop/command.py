"""Runs slash commands: a template becomes a prompt of its session (spec: commands and skills, section 3)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from opencode.agent.schema import Agent
from opencode.agent.service import parse_model
from opencode.command.schema import Command, CommandExecuted
from opencode.command.service import CommandService
from opencode.core.errors import NamedError
from opencode.core.ids import MessageID, SessionID
from opencode.core.process import run_process
from opencode.core.wire import UNSET, UnsetType, Wire, decode, set_or
from opencode.loop.abilities import Abilities
from opencode.loop.command_template import fill, insert_outputs, with_arguments
from opencode.loop.prompt import PromptService
from opencode.loop.references import References
from opencode.provider.schema import ModelRef
from opencode.session.changes import Tell
from opencode.session.errors import PromptAborted
from opencode.session.inputs import AttachedFile, CommandInput, InitInput, PromptInput
from opencode.session.schema import (
    FilePartInput,
    MessageText,
    PartInput,
    Session,
    SessionErrored,
    SubtaskPartInput,
    TextPartInput,
    UnknownError,
)
from opencode.session.service import SessionService
from opencode.session.store import SessionStore
from opencode.tool.shell_choice import plain_argv

INIT = "init"
INSERTION_SECONDS = 120
INSERTION_BYTES = 1024 * 1024

OnInitialized = Callable[[], Awaitable[object]]
BeforeCommand = Callable[[SessionID, CommandInput, list[PartInput]], Awaitable[list[PartInput]]]
"""The hook ``command.execute.before``: gives the parts to prompt with."""


async def unchanged(_: SessionID, __: CommandInput, parts: list[PartInput]) -> list[PartInput]:
    """Where nothing hooks in."""
    return parts


@dataclass(frozen=True, slots=True)
class CommandShell:
    """Runs the shell commands in templates, in the instance's directory, without asking.

    Whoever writes a command may run anything when it is used; so may the arguments of a template that puts them
    into a shell command.
    """

    directory: Path
    shell: str
    environ: Mapping[str, str]

    async def output(self, command: str) -> str:
        """What it prints, whatever its exit code; the reason when it cannot be run."""
        try:
            done = await run_process(
                plain_argv(self.shell, command),
                cwd=self.directory,
                env={**self.environ, "TERM": "dumb"},
                timeout_seconds=INSERTION_SECONDS,
                output_limit_bytes=INSERTION_BYTES,
            )
        except TimeoutError:
            return f"(`{command}` was stopped after {INSERTION_SECONDS} seconds)"
        except (OSError, ValueError) as error:
            return f"(`{command}` could not be run: {error})"
        return done.stdout.decode("utf-8", "replace")


class CommandRunner:
    """Runs the commands of one directory. ``on_initialized`` is told when ``init`` is done."""

    def __init__(
        self,
        *,
        commands: CommandService,
        sessions: SessionService,
        store: SessionStore,
        abilities: Abilities,
        prompts: PromptService,
        references: References,
        shell: CommandShell,
        on_initialized: OnInitialized,
        before: BeforeCommand = unchanged,
    ) -> None:
        self._commands = commands
        self._sessions = sessions
        self._store = store
        self._agents = abilities.agents
        self._providers = abilities.providers
        self._prompts = prompts
        self._references = references
        self._shell = shell
        self._on_initialized = on_initialized
        self._before = before

    async def run(self, session_id: SessionID, wanted: CommandInput) -> bytes:
        """Prompt the session with the command and wait for the answer: ``{info, parts}`` as JSON.

        A command that is stored already (same ``messageID``) is neither expanded nor stored again.
        Publishes ``command.executed`` after it; ``session.error`` for what does not exist. Raises
        ``SessionNotFound``, ``CommandNotFound``, ``AgentNotFound``, ``ProviderModelNotFound``, ``PromptAborted``, and
        as ``prompt``.
        """
        session = await self._sessions.get(session_id)
        try:
            command = self._commands.get(wanted.command)
            prompt = self._repeated(session, wanted) or await self._prompt(session, command, wanted)
        except PromptAborted:
            raise
        except NamedError as error:
            problem = UnknownError(data=MessageText(message=error.message))
            await self._store.commit(Tell(SessionErrored(session_id=session_id, error=problem)))
            raise
        answer = await self._prompts.prompt(session_id, prompt)
        executed = CommandExecuted(
            name=command.name,
            session_id=session_id,
            arguments=wanted.arguments,
            message_id=decode(answer, _Answer).info.id,
        )
        await self._store.commit(Tell(executed))
        if command.name == INIT:
            await self._on_initialized()
        return answer

    async def init(self, session_id: SessionID, wanted: InitInput) -> None:
        """Run ``init``. Raises as ``run``."""
        model = f"{wanted.provider_id}/{wanted.model_id}"
        command = CommandInput(command=INIT, arguments="", model=model, message_id=wanted.message_id)
        await self.run(session_id, command)

    # --- the prompt -------------------------------------------------------------------------------------------------

    def _repeated(self, session: Session, wanted: CommandInput) -> PromptInput | None:
        if wanted.message_id is UNSET or self._store.message_json(session.id, wanted.message_id) is None:
            return None
        return PromptInput(message_id=wanted.message_id, parts=[])

    async def _prompt(self, session: Session, command: Command, wanted: CommandInput) -> PromptInput:
        name = set_or(command.agent, wanted.agent)
        agent = self._agents.default() if name is UNSET else self._agents.get(name)
        model = self._model(session, agent, command, wanted)
        self._providers.model(model.provider_id, model.model_id)
        with self._prompts.preparations.begun(session.id):
            text = await self._text(command, wanted.arguments)
        if _is_subtask(command, agent):
            # The subagent has the model of the command; the session goes on with its own.
            own = parse_model(wanted.model) if wanted.model is not UNSET else self._last_model(session)
            part = SubtaskPartInput(
                agent=agent.name,
                description=set_or(command.description, ""),
                command=command.name,
                model=model,
                prompt=text,
            )
            return _prompt(wanted, wanted.agent, own, await self._before(session.id, wanted, [part]))
        parts = await self._before(session.id, wanted, self._parts(command, text, wanted))
        return _prompt(wanted, agent.name, model, parts)

    def _model(self, session: Session, agent: Agent, command: Command, wanted: CommandInput) -> ModelRef:
        """Of the command, its agent, the caller, the session; the first that is set."""
        if command.model is not UNSET:
            return parse_model(command.model)
        if command.agent is not UNSET and agent.model is not UNSET:
            return agent.model
        return parse_model(wanted.model) if wanted.model is not UNSET else self._last_model(session)

    def _last_model(self, session: Session) -> ModelRef:
        if session.model is not UNSET:
            return ModelRef(provider_id=session.model.provider_id, model_id=session.model.id)
        return self._providers.default_model()

    async def _text(self, command: Command, arguments: str) -> str:
        """The template filled in. Texts of skills are no templates, and those of MCP servers run nothing."""
        template = await self._commands.template(command)
        match command.source:
            case "command":
                return (await insert_outputs(fill(template, arguments), self._shell.output)).strip()
            case "mcp":
                return fill(template, arguments).strip()
            case _:
                return with_arguments(template, arguments).strip()

    def _parts(self, command: Command, text: str, wanted: CommandInput) -> list[PartInput]:
        """The text, what it refers to, and the files that the caller attached; no file twice."""
        attached: list[AttachedFile] = set_or(wanted.parts, [])
        paths = {_path(part) for part in attached}
        referring = text if command.source == "command" else wanted.arguments
        references = self._references.parts(referring)
        named = [part for part in references if not (isinstance(part, FilePartInput) and _path(part) in paths)]
        return [TextPartInput(text=text), *named, *attached]


def _prompt(wanted: CommandInput, agent: str | UnsetType, model: ModelRef, parts: list[PartInput]) -> PromptInput:
    return PromptInput(
        message_id=wanted.message_id,
        variant=wanted.variant,
        delivery=wanted.delivery,
        agent=agent,
        model=model,
        parts=parts,
    )


def _is_subtask(command: Command, agent: Agent) -> bool:
    return command.subtask is True or (agent.mode == "subagent" and command.subtask is not False)


def _path(part: FilePartInput) -> str:
    """The path a ``file:`` URL names; any other URL as it is."""
    url = urlsplit(part.url)
    return unquote(url.path) if url.scheme == "file" else part.url


class _AnswerInfo(Wire):
    id: MessageID


class _Answer(Wire):
    """The part of an answer that is looked at."""

    info: _AnswerInfo
