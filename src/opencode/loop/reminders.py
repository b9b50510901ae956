"""What the model is reminded of beside the newest prompt (spec: prompt loop, section 6). Never stored."""

from collections.abc import Sequence
from typing import Protocol

from opencode.core.ids import IdGenerator
from opencode.core.wire import replace
from opencode.loop.part_ids import part_ids
from opencode.provider.request import AssistantTurn, ModelMessage, TextContent, UserTurn
from opencode.session.schema import AssistantMessage, MessageWithParts, Session, TextPart, UserMessage

PLAN_AGENT, BUILD_AGENT = "plan", "build"


class ModeReminders(Protocol):
    """Reminds the model of the mode it is in."""

    async def insert(self, session: Session, history: Sequence[MessageWithParts], agent: str) -> list[MessageWithParts]:
        """The history with a reminder on its newest user message, if one is due."""
        ...


class Reminders:
    """The plan and build reminders."""

    def __init__(self, plan: str, build_switch: str, ids: IdGenerator) -> None:
        self._plan = plan
        self._build_switch = build_switch
        self._ids = ids

    async def insert(self, session: Session, history: Sequence[MessageWithParts], agent: str) -> list[MessageWithParts]:
        """The history with a reminder on its newest user message, if one is due."""
        if agent == PLAN_AGENT:
            return self._reminded(history, self._plan)
        if agent == BUILD_AGENT and any(_is_planned(message) for message in history):
            return self._reminded(history, self._build_switch)
        return list(history)

    def _reminded(self, history: Sequence[MessageWithParts], text: str) -> list[MessageWithParts]:
        at = newest_prompt(history)
        message = history[at]
        info = message.info
        assert isinstance(info, UserMessage)
        part = TextPart(**part_ids(self._ids, info), text=text, synthetic=True)
        return [*history[:at], replace(message, parts=[*message.parts, part]), *history[at + 1 :]]


class StepNotes:
    """What is said to the model at the end of the history, about how it has to answer."""

    def __init__(self, max_steps: str, no_words: str) -> None:
        self._max_steps = max_steps
        self._no_words = no_words

    def out_of_steps(self, *, prefill: bool) -> ModelMessage:
        """The message that asks for a text-only summary.

        ``prefill``: the model may be given the beginning of its own answer; others hear it from the user.
        """
        text = TextContent(text=self._max_steps)
        return AssistantTurn(content=[text]) if prefill else UserTurn(content=[text])

    def no_words(self) -> ModelMessage:
        """The message that follows words where an object was asked for."""
        return UserTurn(content=[TextContent(text=self._no_words)])


def newest_prompt(history: Sequence[MessageWithParts]) -> int:
    """The place of the newest user message in a history that has one."""
    return max(i for i, message in enumerate(history) if isinstance(message.info, UserMessage))


def _is_planned(message: MessageWithParts) -> bool:
    return isinstance(message.info, AssistantMessage) and message.info.agent == PLAN_AGENT
