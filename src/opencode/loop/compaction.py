"""Condenses a history that grows too long for the model (spec: compaction)."""

from collections.abc import Sequence

from opencode.agent.service import AgentService
from opencode.config.schema import CompactionConfig
from opencode.core.clock import Clock
from opencode.core.errors import Invalid
from opencode.core.ids import IdGenerator, SessionID
from opencode.core.wire import UNSET, UnsetType, encode, replace
from opencode.loop.kept_tail import Cut, cut_history, tail_budget
from opencode.loop.model_messages import to_model_messages
from opencode.loop.overflow import overflows, usable_tokens
from opencode.loop.part_ids import part_ids
from opencode.loop.prompt_text import prompt_text
from opencode.loop.summary_step import SummarySteps
from opencode.loop.transcript import transcript
from opencode.loop.turn import turn_of
from opencode.loop.visible_history import is_marker, newest_summarised, visible_history
from opencode.provider.schema import Model, Number
from opencode.provider.service import ProviderService
from opencode.session.changes import Change, PutMessage, PutPart, Tell
from opencode.session.inputs import SummarizeInput
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    CreatedTime,
    FilePart,
    MessageWithParts,
    PartTime,
    PromptModel,
    Session,
    SessionCompacted,
    TextPart,
    Tokens,
    UserMessage,
)
from opencode.session.store import SessionStore

AGENT = "compaction"


class Compaction:
    """Marks histories for compaction, and condenses marked ones.

    Nothing is deleted: the model sees the summary instead of what came before it. A compaction that fails leaves
    the history as it was.
    """

    def __init__(
        self,
        store: SessionStore,
        agents: AgentService,
        providers: ProviderService,
        steps: SummarySteps,
        ids: IdGenerator,
        clock: Clock,
        config: CompactionConfig | UnsetType,
    ) -> None:
        self._store = store
        self._agents = agents
        self._providers = providers
        self._steps = steps
        self._ids = ids
        self._clock = clock
        self._config = config
        self._request = prompt_text("compaction_request")
        self._continue = prompt_text("compaction_continue")
        self._media_gone = prompt_text("compaction_media")

    def is_automatic(self) -> bool:
        """Whether histories are condensed without being asked."""
        return self._config is UNSET or self._config.auto is not False

    def is_due(self, tokens: Tokens, model: Model) -> bool:
        """Whether a step with this usage leaves no room for another."""
        return overflows(tokens, model, self._steps.max_output(model), self._config)

    async def mark(self, user: UserMessage, *, auto: bool, overflow: bool | UnsetType = UNSET) -> None:
        """Ask for a compaction: a user message like the given one whose only part is the marker."""
        message = self._message_like(user)
        part = CompactionPart(**part_ids(self._ids, message), auto=auto, overflow=overflow)
        await self._store.commit(PutMessage(message), PutPart(part))

    async def request(self, session_id: SessionID, wanted: SummarizeInput) -> None:
        """Ask for a compaction by a model of the user's choice.

        Raises ``ProviderModelNotFound``, and ``Invalid`` for a session without messages.
        """
        self._providers.model(wanted.provider_id, wanted.model_id)
        turn = turn_of(self._store.history(session_id))
        if turn is None:
            raise Invalid("The session has no messages to condense")
        model = PromptModel(provider_id=wanted.provider_id, model_id=wanted.model_id)
        asked = replace(turn.user, model=model, variant=UNSET, format=UNSET)
        await self.mark(asked, auto=wanted.auto is True)

    async def run(self, session: Session, marker: MessageWithParts) -> bool:
        """Condense what comes before the marker. False when the turn must stop (the summary failed).

        Publishes ``session.compacted`` when it is done.
        """
        info, part = marker.info, _marker_part(marker)
        assert isinstance(info, UserMessage)
        agent = self._agents.get(AGENT)
        wanted = info.model if agent.model is UNSET else agent.model
        model = self._providers.model(wanted.provider_id, wanted.model_id)
        history = self._store.history(session.id)
        earlier = history[: next(i for i, m in enumerate(history) if m.info.id == info.id)]
        previous, messages = _since_last_summary(earlier)
        head, replayed = _without_newest_prompt(messages) if part.overflow is True else (messages, None)
        cut = self._cut(head, model)
        if cut.tail:
            await self._store.commit(PutPart(replace(part, tail_start_id=cut.tail[0].info.id)))
        request = "\n\n".join([self._request, *previous, "The conversation:", transcript(cut.head)])
        result = await self._steps.run(session, info, agent, model, request)
        if result.message.error is not UNSET or result.message.finish is UNSET:
            return False
        changes = self._replay(replayed) if replayed else self._go_on(info, part) if part.auto else []
        await self._store.commit(*changes, Tell(SessionCompacted(session_id=session.id)))
        return True

    def _cut(self, messages: Sequence[MessageWithParts], model: Model) -> Cut:
        usable: Number | None = usable_tokens(model, self._steps.max_output(model), self._config)
        budget = tail_budget(usable, self._config)
        return cut_history(
            messages, budget, lambda some: len(encode(to_model_messages(some, model))) // 4, self._config
        )

    # --- what follows -----------------------------------------------------------------------------------------------

    def _go_on(self, marker: UserMessage, part: CompactionPart) -> list[Change]:
        message = self._message_like(marker)
        now = self._clock.now_ms()
        text = TextPart(
            **part_ids(self._ids, message),
            text=self._media_gone if part.overflow is True else self._continue,
            synthetic=True,
            time=PartTime(start=now, end=now),
            metadata={"compaction_continue": True},
        )
        return [PutMessage(message), PutPart(text)]

    def _replay(self, prompt: MessageWithParts) -> list[Change]:
        """The prompt that did not fit, asked again; its media become words."""
        info = prompt.info
        assert isinstance(info, UserMessage)
        message = replace(self._message_like(info), tools=info.tools, system=info.system)
        changes: list[Change] = [PutMessage(message)]
        for part in prompt.parts:
            own = part_ids(self._ids, message)
            if isinstance(part, FilePart) and part.mime not in ("text/plain", "application/x-directory"):
                name = "" if part.filename is UNSET else f": {part.filename}"
                changes.append(PutPart(TextPart(**own, text=f"[Attached {part.mime}{name}]")))
            elif not isinstance(part, CompactionPart):
                changes.append(PutPart(replace(part, **own)))
        return changes

    def _message_like(self, user: UserMessage) -> UserMessage:
        return UserMessage(
            id=self._ids.message(after=self._store.newest_message_id(user.session_id)),
            session_id=user.session_id,
            time=CreatedTime(created=self._clock.now_ms()),
            agent=user.agent,
            model=user.model,
            variant=user.variant,
            # Whoever waits for an object waits for it on the other side of the compaction too.
            format=user.format,
        )


def pending_marker(history: Sequence[MessageWithParts]) -> MessageWithParts | None:
    """A marker that no compaction has answered: the newest, if it is newer than the last finished answer."""
    for message in reversed(history):
        if isinstance(message.info, AssistantMessage) and message.info.finish is not UNSET:
            return None
        if is_marker(message):
            return message
    return None


def _marker_part(marker: MessageWithParts) -> CompactionPart:
    return next(part for part in marker.parts if isinstance(part, CompactionPart))


def _since_last_summary(history: Sequence[MessageWithParts]) -> tuple[list[str], list[MessageWithParts]]:
    """The text of the last summary, and the messages that still count without it and its marker."""
    marker = newest_summarised(history)
    visible = visible_history(history)
    if marker is None:
        return [], visible
    summary = visible[1]
    text = "\n".join(part.text for part in summary.parts if isinstance(part, TextPart))
    return [f"An earlier summary, to be brought up to date:\n\n{text}"], visible[2:]


def _without_newest_prompt(
    messages: Sequence[MessageWithParts],
) -> tuple[Sequence[MessageWithParts], MessageWithParts | None]:
    """The messages before the newest prompt, and that prompt; nothing is taken away when it is the first."""
    prompts = [i for i, m in enumerate(messages) if isinstance(m.info, UserMessage) and not is_marker(m)]
    if len(prompts) < 2:
        return messages, None
    return messages[: prompts[-1]], messages[prompts[-1]]
