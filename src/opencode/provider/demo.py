"""The demonstration model: small, deterministic, made of plain rules. Offered only when there is no real model."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from anyio.lowlevel import checkpoint

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import encode
from opencode.provider.demo_plan import REMINDER, Action, plan
from opencode.provider.request import (
    AssistantTurn,
    ModelRequest,
    TextContent,
    ToolCallContent,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi, ModelLimit, Provider
from opencode.provider.stream import (
    StepFinish,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    Usage,
)

DEMO_PROVIDER_ID = ProviderID("demo")
DEMO_MODEL_ID = ModelID("demo")
DEMO_NPM = "opencode-server/demo"
TEXT_ID = "text_0"
TITLE_WORDS = 6
TASK_CHARACTERS = 300
"""The opening of a system text, where it says what the task is."""
EXCERPT_LINES = 15

HELP = """I am the demonstration model of this server: a few plain rules, no intelligence. I am here because no model
provider is configured. I understand requests like these, one per line or joined with "then":

- read FILE
- write TEXT to FILE
- replace A with B in FILE
- run COMMAND
- find TEXT
- list
- ask me QUESTION: one answer, another answer

To work with a real model, set the API key of a provider (for example ANTHROPIC_API_KEY or OPENAI_API_KEY), start a
local model server such as Ollama, or describe a provider in opencode.json."""


def demo_provider() -> Provider:
    """The provider record, labelled as what it is."""
    text = Modalities(text=True)
    model = Model(
        id=DEMO_MODEL_ID,
        provider_id=DEMO_PROVIDER_ID,
        name="Demo (no real model)",
        family="demo",
        api=ModelApi(id=DEMO_MODEL_ID, url="", npm=DEMO_NPM),
        limit=ModelLimit(context=128_000, output=8_000),
        capabilities=Capabilities(
            temperature=False,
            reasoning=False,
            attachment=False,
            toolcall=True,
            input=text,
            output=text,
            interleaved=False,
        ),
        variants={},
    )
    return Provider(
        id=DEMO_PROVIDER_ID,
        name="Demonstration (no model configured)",
        source="custom",
        env=[],
        options={},
        models={model.id: model},
    )


class DemoModel:
    """A ``LanguageModel`` that answers by rules: the same request always gets the same answer."""

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """One answer: a tool call for the next thing asked for, or a short text."""
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        yield _paced(_answer(request))


async def _paced(events: Iterator[StreamEvent]) -> AsyncIterator[StreamEvent]:
    for event in events:
        await checkpoint()
        yield event


def _answer(request: ModelRequest) -> Iterator[StreamEvent]:
    if not request.tools:
        yield from _text(request, _without_tools(request))
        return
    asked, results = _situation(request)
    actions = plan(asked)
    failed = next((result for result in results if result.is_error), None)
    if not actions:
        yield from _text(request, HELP)
    elif failed is not None:
        yield from _text(request, f"That did not work, so I stopped.\n\n{_excerpt(failed.output)}")
    elif len(results) >= len(actions):
        yield from _text(request, _report(actions, results))
    else:
        yield from _call(request, actions[len(results)])


def _situation(request: ModelRequest) -> tuple[str, list[ToolResultContent]]:
    """What was asked last, and the results of the tool calls made for it so far."""
    results: list[ToolResultContent] = []
    for message in reversed(request.messages):
        match message:
            case ToolTurn(content=content):
                results = [*content, *results]
            case UserTurn():
                text = _text_of(message)
                # A turn of reminders or attachments only is not the person speaking.
                if text and (plan(text) or not results):
                    return text, results
            case AssistantTurn():
                pass
    return "", results


def _text_of(turn: UserTurn) -> str:
    texts = (block.text for block in turn.content if isinstance(block, TextContent))
    return REMINDER.sub("", "\n".join(texts)).strip()


def _call(request: ModelRequest, action: Action) -> Iterator[StreamEvent]:
    if action.tool not in {tool.name for tool in request.tools}:
        yield from _text(request, f"I would need the tool `{action.tool}`, which is switched off here.")
        return
    call_id = f"demo_{_calls_so_far(request) + 1}"
    arguments = encode(action.input).decode()
    yield from _spoken(action.says)
    yield ToolInputStart(call_id=call_id, name=action.tool)
    for piece in _pieces(arguments):
        yield ToolInputDelta(call_id=call_id, text=piece)
    yield ToolCall(call_id=call_id, name=action.tool, input=action.input)
    yield StepFinish(reason="tool-calls", usage=_usage(request, action.says + arguments))


def _text(request: ModelRequest, text: str) -> Iterator[StreamEvent]:
    yield from _spoken(text)
    yield StepFinish(reason="stop", usage=_usage(request, text))


def _spoken(text: str) -> Iterator[StreamEvent]:
    yield TextStart(id=TEXT_ID)
    for piece in _pieces(text):
        yield TextDelta(id=TEXT_ID, text=piece)
    yield TextEnd(id=TEXT_ID)


def _pieces(text: str) -> list[str]:
    """The text word by word, blanks included."""
    return re.findall(r"\s*\S+|\s+$", text)


def _report(actions: list[Action], results: list[ToolResultContent]) -> str:
    done = "\n".join(f"- {action.done}" for action in actions)
    return f"Done:\n\n{done}\n\nThe last step gave:\n\n```\n{_excerpt(results[-1].output)}\n```"


def _excerpt(output: str) -> str:
    lines = output.strip().splitlines() or ["(nothing)"]
    more = [f"... ({len(lines) - EXCERPT_LINES} more lines)"] if len(lines) > EXCERPT_LINES else []
    return "\n".join([*lines[:EXCERPT_LINES], *more])


def _without_tools(request: ModelRequest) -> str:
    """A title or a summary, which is what calls without tools ask for."""
    people = [text for message in request.messages if isinstance(message, UserTurn) and (text := _text_of(message))]
    if "title" in "\n".join(request.system)[:TASK_CHARACTERS].lower():
        # The title agent's own instruction may come before the conversation: the last line is what was asked.
        words = (people[-1] if people else "").splitlines()[0:1]
        title = " ".join(" ".join(words).split()[:TITLE_WORDS])
        return title[:1].upper() + title[1:] or "Demonstration"
    asked = "\n".join(f"- {text.splitlines()[0][:200]}" for text in people[:-1]) or "- nothing yet"
    return f"Summary by the demonstration model. What was asked so far:\n\n{asked}"


def _calls_so_far(request: ModelRequest) -> int:
    turns = (message.content for message in request.messages if isinstance(message, AssistantTurn))
    return sum(isinstance(block, ToolCallContent) for content in turns for block in content)


def _usage(request: ModelRequest, answer: str) -> Usage:
    """An estimate: four bytes a token."""
    sent = len(encode([request.system, request.messages]))
    tokens_in, tokens_out = sent // 4, max(1, len(answer) // 4)
    return Usage(input=tokens_in, output=tokens_out, total=tokens_in + tokens_out)
