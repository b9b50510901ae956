"""From the body of a prompt to a stored user message (spec: prompt loop, section 4)."""

from opencode.agent.schema import Agent
from opencode.agent.service import AgentService
from opencode.core.clock import Clock
from opencode.core.errors import NamedError
from opencode.core.ids import IdGenerator, MessageID
from opencode.core.wire import UNSET, UnsetType, replace, set_or
from opencode.loop.expand import PartExpander
from opencode.loop.queue import AdmittedPrompt
from opencode.loop.structured import checked_format
from opencode.permission.schema import PermissionRule
from opencode.provider.schema import ModelRef
from opencode.provider.service import ProviderService
from opencode.session.changes import Change, ChangeSession, Tell
from opencode.session.errors import MessageTaken
from opencode.session.inputs import PromptInput
from opencode.session.schema import (
    CreatedTime,
    MessageText,
    PromptModel,
    Session,
    SessionErrored,
    SessionModel,
    SubtaskPartInput,
    UnknownError,
    UserMessage,
)
from opencode.session.store import SessionStore


class Admission:
    """Decides who answers a prompt, and stores it with its parts in one transaction."""

    def __init__(
        self,
        store: SessionStore,
        agents: AgentService,
        providers: ProviderService,
        expander: PartExpander,
        ids: IdGenerator,
        clock: Clock,
    ) -> None:
        self._store = store
        self._agents = agents
        self._providers = providers
        self._expander = expander
        self._ids = ids
        self._clock = clock

    async def prepare(self, session: Session, prompt: PromptInput) -> AdmittedPrompt | None:
        """Decide who answers the prompt and read what it refers to; None when it is stored already (``messageID``).

        Publishes ``session.error`` for an unknown agent. Raises ``AgentNotFound``, ``MessageTaken``, ``Invalid``.
        """
        await self._require_possible(session, prompt)
        if prompt.message_id is not UNSET and self._is_stored(session, prompt.message_id):
            return None
        wanted_format = checked_format(prompt.format)
        agent = await self.agent(session, prompt.agent)
        model = self.model(session, agent, prompt.model)
        variant = self._variant(agent, model, prompt)
        newest = self._store.newest_message_id(session.id)
        message = UserMessage(
            id=self._ids.message(after=newest) if prompt.message_id is UNSET else prompt.message_id,
            session_id=session.id,
            time=CreatedTime(created=self._clock.now_ms()),
            agent=agent.name,
            model=PromptModel(provider_id=model.provider_id, model_id=model.model_id, variant=variant or UNSET),
            variant=variant or UNSET,
            system=prompt.system,
            tools=prompt.tools,
            format=wanted_format,
        )
        parts = await self._expander.expand(message, prompt.parts, agent.permission)
        return AdmittedPrompt(message=message, parts=parts, has_own_id=prompt.message_id is not UNSET)

    async def store(self, session: Session, prompt: AdmittedPrompt) -> None:
        """Store a prompt. Publishes ``session.updated``, ``message.updated``, ``message.part.updated``."""
        await self._store.commit(*self.changes(session, prompt))

    def changes(self, session: Session, prompt: AdmittedPrompt) -> list[Change]:
        """What stores a prompt and lets its session know who answers now."""
        message = prompt.message
        return [*self._who(session, message), *prompt.changes(), *_touch(session, message)]

    async def agent(self, session: Session, name: object) -> Agent:
        """The named agent, or the default one. Publishes ``session.error`` when it does not exist."""
        try:
            return self._agents.get(name) if isinstance(name, str) else self._agents.default()
        except NamedError as error:
            problem = UnknownError(data=MessageText(message=error.message))
            await self._store.commit(Tell(SessionErrored(session_id=session.id, error=problem)))
            raise

    def model(self, session: Session, agent: Agent, wanted: object) -> ModelRef:
        """The model of the prompt, else the agent's, else the session's last one, else the default."""
        if isinstance(wanted, ModelRef):
            return wanted
        if agent.model is not UNSET:
            return agent.model
        if session.model is not UNSET:
            return ModelRef(provider_id=session.model.provider_id, model_id=session.model.id)
        return self._providers.default_model()

    async def _require_possible(self, session: Session, prompt: PromptInput) -> None:
        for part in prompt.parts:
            if isinstance(part, SubtaskPartInput):
                await self.agent(session, part.agent)

    def _variant(self, agent: Agent, model: ModelRef, prompt: PromptInput) -> str | None:
        if prompt.variant is not UNSET:
            return prompt.variant
        return agent.variant if agent.variant is not UNSET and agent.model == model else None

    def _is_stored(self, session: Session, message_id: MessageID) -> bool:
        if self._store.message_json(session.id, message_id) is not None:
            return True
        if self._store.owner_of(message_id) is not None:
            raise MessageTaken(message_id)
        return False

    def _who(self, session: Session, message: UserMessage) -> list[Change]:
        model = message.model
        chosen = SessionModel(
            id=model.model_id, provider_id=model.provider_id, variant=set_or(message.variant, "") or "default"
        )
        if session.agent == message.agent and _with_variant(session.model) == chosen:
            return []
        return [ChangeSession(session.id, lambda now: replace(now, agent=message.agent, model=chosen))]


def _touch(session: Session, prompt: UserMessage) -> list[Change]:
    changes = [ChangeSession(session.id, lambda now: now, touches=True)]
    if prompt.tools is not UNSET and prompt.tools:
        rules = [
            PermissionRule(permission=name, pattern="*", action="allow" if on else "deny")
            for name, on in prompt.tools.items()
        ]
        changes.append(ChangeSession(session.id, lambda now: replace(now, permission=rules)))
    return list[Change](changes)


def _with_variant(model: SessionModel | UnsetType) -> SessionModel | UnsetType:
    """A model that was chosen without a variant is meant in its default one."""
    return model if model is UNSET else replace(model, variant=set_or(model.variant, "default"))
