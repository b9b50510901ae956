"""A name for a new session, asked of a small model beside the first step (spec: prompt loop, section 10)."""

import re
from collections.abc import Sequence

from opencode.agent.service import AgentService
from opencode.core.ids import SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, replace
from opencode.loop.budgets import Budgets, BudgetSpent
from opencode.loop.model_messages import to_model_messages
from opencode.loop.request import RequestBuilder
from opencode.provider.request import TextContent, UserTurn
from opencode.provider.schema import Model
from opencode.provider.service import ProviderService
from opencode.provider.stream import StepFinish, TextDelta
from opencode.session.changes import ChangeSession
from opencode.session.schema import MessageWithParts, Session, SubtaskPart, TextPart, UserMessage
from opencode.session.store import SessionStore

log = Logger("session.title")

DEFAULT_TITLE = re.compile(r"^(New session - |Child session - )\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")
ASK = "Generate a title for this conversation:\n"
LONGEST = 100


class TitleMaker:
    """Names sessions that still have their default title."""

    def __init__(
        self,
        store: SessionStore,
        providers: ProviderService,
        agents: AgentService,
        requests: RequestBuilder,
        budgets: Budgets | None = None,
    ) -> None:
        self._store = store
        self._providers = providers
        self._agents = agents
        self._requests = requests
        self._budgets = budgets

    async def name(self, session_id: SessionID, history: Sequence[MessageWithParts], model: Model) -> None:
        """Give the session a title if it wants one. A failure is logged and leaves the title alone."""
        session = self._store.session(session_id)
        if session is None or not wants_title(session, history):
            return
        try:
            text = await self._ask(session, history, model)
        except BudgetSpent:
            return
        except Exception:  # an edge: a title is worth no error of the turn
            log.exception("no title", session=session_id)
            return
        if title := clean_title(text):
            await self._store.commit(ChangeSession(session_id, lambda now: _named(now, title)))

    async def _ask(self, session: Session, history: Sequence[MessageWithParts], turn_model: Model) -> str:
        agent = self._agents.get("title")
        if agent.model is not UNSET:
            model = self._providers.model(agent.model.provider_id, agent.model.model_id)
        else:
            model = self._providers.small_model(turn_model.provider_id) or turn_model
        ask = UserTurn(content=[TextContent(text=ASK)])
        messages = [ask, *to_model_messages(_context(history), model)]
        system = "" if agent.prompt is UNSET else agent.prompt
        request = self._requests.small(session=session, model=model, agent=agent, system=system, messages=messages)
        if self._budgets is not None:
            self._budgets.require(request)
        said: list[str] = []
        async with self._providers.language_model(model).stream(request) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    said.append(event.text)
                elif isinstance(event, StepFinish) and self._budgets is not None:
                    await self._store.commit(*self._budgets.usage(session.id, event.usage, request))
        return "".join(said)


def wants_title(session: Session, history: Sequence[MessageWithParts]) -> bool:
    """A root session with its default title and exactly one message of a person."""
    prompts = [m for m in history if isinstance(m.info, UserMessage) and not _is_synthetic(m)]
    return session.parent_id is UNSET and len(prompts) == 1 and DEFAULT_TITLE.match(session.title) is not None


def clean_title(text: str) -> str:
    """The first line that says something, at most 100 characters."""
    spoken = re.sub(r"<think>.*?</think>\s*", "", text, flags=re.DOTALL)
    line = next((line.strip() for line in spoken.splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def _context(history: Sequence[MessageWithParts]) -> list[MessageWithParts]:
    first = next(i for i, m in enumerate(history) if isinstance(m.info, UserMessage) and not _is_synthetic(m))
    prompt = history[first]
    if prompt.parts and all(isinstance(part, SubtaskPart) for part in prompt.parts):
        prompt = replace(prompt, parts=[_as_text(p) for p in prompt.parts if isinstance(p, SubtaskPart)])
    return [*history[:first], prompt]


def _as_text(part: SubtaskPart) -> TextPart:
    return TextPart(id=part.id, session_id=part.session_id, message_id=part.message_id, text=part.prompt)


def _is_synthetic(message: MessageWithParts) -> bool:
    return all(isinstance(part, TextPart) and part.synthetic is True for part in message.parts)


def _named(session: Session, title: str) -> Session:
    return replace(session, title=title) if DEFAULT_TITLE.match(session.title) else session
