"""What the model is reminded of beside the newest prompt (spec: prompt loop, section 6). Never stored."""

from collections.abc import Sequence

from opencode.core.ids import IdGenerator
from opencode.core.wire import replace
from opencode.provider.request import AssistantTurn, ModelMessage, TextContent, UserTurn
from opencode.session.schema import AssistantMessage, MessageWithParts, TextPart, UserMessage

PLAN_AGENT, BUILD_AGENT = "plan", "build"


class Reminders:
    """The plan and build reminders, and the last word when the steps are used up."""

    def __init__(self, plan: str, build_switch: str, max_steps: str, ids: IdGenerator) -> None:
        self._plan = plan
        self._build_switch = build_switch
        self._max_steps = max_steps
        self._ids = ids

    def insert(self, history: Sequence[MessageWithParts], agent: str) -> list[MessageWithParts]:
        """The history with a reminder on its newest user message, if one is due."""
        if agent == PLAN_AGENT:
            return self._reminded(history, self._plan)
        if agent == BUILD_AGENT and any(_is_planned(message) for message in history):
            return self._reminded(history, self._build_switch)
        return list(history)

    def out_of_steps(self, *, prefill: bool) -> ModelMessage:
        """The message that asks for a text-only summary.

        ``prefill``: the model may be given the beginning of its own answer; others hear it from the user.
        """
        text = TextContent(text=self._max_steps)
        return AssistantTurn(content=[text]) if prefill else UserTurn(content=[text])

    def _reminded(self, history: Sequence[MessageWithParts], text: str) -> list[MessageWithParts]:
        newest = max(i for i, message in enumerate(history) if isinstance(message.info, UserMessage))
        message = history[newest]
        info = message.info
        part = TextPart(id=self._ids.part(), session_id=info.session_id, message_id=info.id, text=text, synthetic=True)
        reminded = replace(message, parts=[*message.parts, part])
        return [*history[:newest], reminded, *history[newest + 1 :]]


def _is_planned(message: MessageWithParts) -> bool:
    return isinstance(message.info, AssistantMessage) and message.info.agent == PLAN_AGENT
