"""Runs subagents in child sessions (spec: tools core, section 6; agents and permissions, section 4)."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio

from opencode.agent.schema import Agent
from opencode.core.errors import NamedError
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, decode, set_or
from opencode.loop.references import References
from opencode.loop.run_state import ABORT_PATIENCE_SECONDS
from opencode.permission.ruleset import evaluate
from opencode.permission.schema import PermissionRule, PermissionRuleset
from opencode.provider.schema import ModelRef
from opencode.session.inputs import CreateSession, PromptInput
from opencode.session.schema import (
    AssistantMessage,
    FilePartInput,
    MessageError,
    MessageWithParts,
    PartInput,
    Session,
    TextPart,
    TextPartInput,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolStateRunning,
)
from opencode.session.service import SessionService
from opencode.session.store import SessionStore
from opencode.tool.builtin.task import Delegated, Delegation
from opencode.tool.tool import ToolContext, ToolError

PromptSession = Callable[[SessionID, PromptInput], Awaitable[bytes]]
StopSession = Callable[[SessionID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Begun:
    """Work that a child session is about to do. ``metadata``: what clients are shown of it."""

    caller: SessionID
    child: SessionID
    prompt: PromptInput
    metadata: dict[str, Any]


class Subagents:
    """The child sessions of one instance.

    ``depth``: how many levels of subagents there may be. ``primary_tools``: what no subagent may use.
    """

    def __init__(
        self,
        sessions: SessionService,
        store: SessionStore,
        references: References,
        *,
        depth: int,
        primary_tools: Sequence[str],
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._references = references
        self._depth = depth
        self._primary_tools = primary_tools
        self._awaited: list[tuple[SessionID, SessionID]] = []
        """Who waits for whom: a session and the child session it called."""
        self.prompt: PromptSession = _not_connected
        self.stop: StopSession = _not_connected
        """Set by the assembly: the loop needs the tools, and this tool needs the loop."""

    async def run(self, wanted: Delegation, context: ToolContext) -> Delegated:
        """Do the work in a child session and wait for its last words. Cancelled, the child is stopped first.

        Raises ``ToolError``, which names the task once there is one.
        """
        caller = await self._sessions.get(context.session_id)
        child = await self._child(wanted, caller)
        with self._waiting(caller.id, child.id):
            begun = await self._begin(wanted, caller, child, context)
            text = await self.finish(begun)
        return Delegated(child.id, text, {**begun.metadata, **self._summary(child.id)})

    async def begin(self, wanted: Delegation, context: ToolContext, **shown: Any) -> Begun:
        """The child session and the prompt for it, told to clients with ``shown``. Raises ``ToolError``."""
        caller = await self._sessions.get(context.session_id)
        return await self._begin(wanted, caller, await self._child(wanted, caller), context, **shown)

    async def finish(self, begun: Begun) -> str:
        """Do it and wait for the last words. Cancelled, the child is stopped first. Raises ``ToolError``."""
        return final_text(begun.child, await self._answer(begun.child, begun.prompt))

    async def _begin(
        self, wanted: Delegation, caller: Session, child: Session, context: ToolContext, **shown: Any
    ) -> Begun:
        model, variant = self._model(wanted.agent, context)
        metadata: dict[str, Any] = {
            "parentSessionId": caller.id,
            "sessionId": child.id,
            "model": {"modelID": model.model_id, "providerID": model.provider_id},
            **shown,
        }
        await context.report(title=wanted.description, metadata=metadata)
        parts = self._parts(wanted, child, context)
        prompt = PromptInput(agent=wanted.agent.name, model=model, variant=variant, parts=parts)
        return Begun(caller.id, child.id, prompt, metadata)

    async def _answer(self, child: SessionID, prompt: PromptInput) -> MessageWithParts:
        try:
            return decode(await self.prompt(child, prompt), MessageWithParts)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(ABORT_PATIENCE_SECONDS, shield=True):
                await self.stop(child)
            raise
        except NamedError as error:
            raise failed(child, error.message) from error

    # --- the child session ----------------------------------------------------------------------------------------

    async def _child(self, wanted: Delegation, caller: Session) -> Session:
        if self._level(caller) >= self._depth:
            raise ToolError(
                f"Subagents may be nested {self._depth} deep here, and this session is at that depth already:"
                " do the work yourself"
            )
        if wanted.resumed is not None and (earlier := self._store.session(wanted.resumed)) is not None:
            return self._resumable(earlier, caller)
        return await self._sessions.create(
            CreateSession(
                parent_id=caller.id,
                title=f"{wanted.description} (@{wanted.agent.name} subagent)",
                agent=wanted.agent.name,
                permission=child_rules(set_or(caller.permission, []), wanted.agent, self._primary_tools),
            )
        )

    def _resumable(self, earlier: Session, caller: Session) -> Session:
        """The session, if it is a task and the caller can wait for it: another directory has loops of its own."""
        if earlier.parent_id is UNSET:
            raise ToolError(f"{earlier.id} is no task, but a conversation of the user: leave out `task_id`")
        if (earlier.project_id, earlier.directory) != (caller.project_id, caller.directory):
            raise ToolError(f"Task {earlier.id} belongs to another directory: start a new one, without `task_id`")
        if self._waits_for(earlier.id, caller.id):
            raise ToolError(f"Task {earlier.id} waits for this very call: start a new one, without `task_id`")
        return earlier

    def _waits_for(self, session: SessionID, other: SessionID) -> bool:
        """Whether it waits for the other one, however indirectly, or is the other one."""
        if session == other:
            return True
        return any(self._waits_for(child, other) for waiting, child in self._awaited if waiting == session)

    @contextmanager
    def _waiting(self, caller: SessionID, child: SessionID) -> Iterator[None]:
        self._awaited.append((caller, child))
        try:
            yield
        finally:
            self._awaited.remove((caller, child))

    def _level(self, session: Session) -> int:
        """How many sessions there are above this one, as far as that matters."""
        level = 0
        while session.parent_id is not UNSET and level < self._depth:
            level += 1
            above = self._store.session(session.parent_id)
            if above is None:
                break
            session = above
        return level

    def _model(self, agent: Agent, context: ToolContext) -> tuple[ModelRef, str | UnsetType]:
        """The agent's own model, else the model and variant of the message that calls."""
        if agent.model is not UNSET:
            return agent.model, UNSET
        calling = self._store.message(context.session_id, context.message_id)
        if calling is None or not isinstance(info := calling.info, AssistantMessage):
            raise ToolError("The call belongs to no message: it was removed")
        return ModelRef(provider_id=info.provider_id, model_id=info.model_id), info.variant

    def _parts(self, wanted: Delegation, child: Session, context: ToolContext) -> list[PartInput]:
        """The prompt and the files it names.

        A model wrote it, so that only files come along which the subagent may read without asking anyone, and
        no agents: naming one would allow it.
        """
        rules: list[PermissionRuleset] = [wanted.agent.permission, set_or(child.permission, [])]

        def may_read(part: FilePartInput) -> bool:
            path = Path(unquote(urlsplit(part.url).path)).resolve()
            allowed = evaluate("read", context.relative(path), *rules).action == "allow"
            return allowed and context.contains(path)

        files = [part for part in self._references.files(wanted.prompt) if may_read(part)]
        return [TextPartInput(text=wanted.prompt), *files]

    def _summary(self, child: SessionID) -> dict[str, Any]:
        """What the subagent called, for clients that show it in one line each."""
        parts = (part for message in self._store.history(child) for part in message.parts)
        calls = [_call_summary(part) for part in parts if isinstance(part, ToolPart)]
        return {"summary": calls} if calls else {}


def child_rules(parent: PermissionRuleset, agent: Agent, primary_tools: Sequence[str]) -> PermissionRuleset:
    """The rules of a child session: what its parent's forbid, and no further delegation unless the agent says so.

    Source: golden traces ``tools_task``, ``tools_task_parallel``.
    """
    inherited = [rule for rule in parent if rule.action == "deny" or rule.permission == "external_directory"]
    spoken_of = {rule.permission for rule in agent.permission}
    closed = [name for name in ("todowrite", "task") if name not in spoken_of]
    denied = [PermissionRule(permission=name, pattern="*", action="deny") for name in (*closed, *primary_tools)]
    return [*inherited, *denied]


def final_text(child: SessionID, answer: MessageWithParts) -> str:
    """The last text of an answer. Raises ``ToolError`` when the run failed, or stopped at a failed call."""
    info = answer.info
    if not isinstance(info, AssistantMessage):
        raise failed(child, "it gave no answer")
    if info.error is not UNSET:
        raise failed(child, _error_text(info.error))
    spoken = [part for part in answer.parts if isinstance(part, TextPart | ToolPart)]
    if spoken and isinstance(last := spoken[-1], ToolPart) and isinstance(last.state, ToolStateError):
        raise failed(child, last.state.error)
    return next((part.text for part in reversed(spoken) if isinstance(part, TextPart)), "")


def failed(child: SessionID, reason: str) -> ToolError:
    """Tells the model which task failed and why."""
    return ToolError(f'Task {child} did not finish: {reason}\nTo go on with it, call the tool with task_id "{child}".')


def _error_text(error: MessageError) -> str:
    return getattr(error.data, "message", "") or str(error.__struct_config__.tag)


def _call_summary(part: ToolPart) -> dict[str, Any]:
    state = part.state
    title = state.title if isinstance(state, ToolStateCompleted | ToolStateRunning) else UNSET
    shown = {} if title is UNSET else {"title": title}
    return {"id": part.id, "tool": part.tool, "state": {"status": state.__struct_config__.tag, **shown}}


async def _not_connected(*_: object) -> Any:
    raise RuntimeError("no loop can run subagents yet")
