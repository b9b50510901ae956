"""Providers of Chat Completions that refuse what others want: each gets what it takes, and nothing else."""

from typing import Any

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import replace
from opencode.provider.options import default_options
from opencode.provider.request import AssistantTurn, ModelRequest, ReasoningContent, TextContent, ToolDefinition
from opencode.provider.stream import ReasoningDelta, StepFinish, TextDelta
from opencode.provider.wire.openai_chat import OpenAIChat
from tests.support.scripted_model.script import Raw, turn
from tests.support.wires import CHAT, WireUnderTest, model_of, request_of, wire_under_test

CEREBRAS, COHERE, GROQ = "@ai-sdk/cerebras", "@ai-sdk/cohere", "@ai-sdk/groq"
MISTRAL, XAI, VENICE, GATEWAY = "@ai-sdk/mistral", "@ai-sdk/xai", "venice-ai-sdk-provider", "@ai-sdk/gateway"
TOOL = ToolDefinition(name="read", description="Reads.", parameters={"type": "object"})
THOUGHT = AssistantTurn(content=[ReasoningContent(text="Hm."), TextContent(text="Yes.")])


def body(npm: str, *, reasons: bool = True, **changes: Any) -> dict[str, Any]:
    """A request to a provider of that package, after an answer that was thought about."""
    model = changes.pop("model", None) or model_of(npm)
    model = replace(model, capabilities=replace(model.capabilities, reasoning=reasons))
    request: ModelRequest = request_of(npm, model=model, messages=[THOUGHT], tools=[TOOL], **changes)
    return dict(OpenAIChat().body(request))


@pytest.mark.parametrize("npm", [MISTRAL, GROQ, CEREBRAS, "@ai-sdk/perplexity"])
def test_who_counts_unasked_or_refuses_to_be_asked_is_not_asked_for_usage(npm: str) -> None:
    assert "stream_options" not in body(npm)
    assert body(CHAT)["stream_options"] == {"include_usage": True}


async def test_a_configured_server_can_be_spared_the_question() -> None:
    async with wire_under_test(CHAT, options={"includeUsage": False}) as server:
        await server.ask()
        assert "stream_options" not in server.server.requests[0].body


@pytest.mark.parametrize(
    ("npm", "field"),
    [
        (CHAT, "reasoning_content"),
        (VENICE, "reasoning_content"),
        (GROQ, "reasoning"),
        (CEREBRAS, "reasoning"),
        (MISTRAL, None),
        (COHERE, "reasoning_content"),
        (XAI, None),
    ],
)
def test_thoughts_go_back_where_the_provider_takes_them(npm: str, field: str | None) -> None:
    expected = {"role": "assistant", "content": "Yes."} | ({field: "Hm."} if field else {})
    assert body(npm)["messages"][-1] == expected


@pytest.mark.parametrize("npm", [GROQ, CEREBRAS])
def test_a_model_that_does_not_think_gets_no_thoughts_of_another(npm: str) -> None:
    assert body(npm, reasons=False)["messages"][-1] == {"role": "assistant", "content": "Yes."}


@pytest.mark.parametrize(("npm", "name"), [(XAI, "max_completion_tokens"), (VENICE, "max_completion_tokens")])
def test_the_limit_of_an_answer_has_the_name_the_provider_knows(npm: str, name: str) -> None:
    sent = body(npm)
    assert sent[name] == 8_000 and "max_tokens" not in sent
    assert body(MISTRAL)["max_tokens"] == 8_000


def test_vercels_gateway_gets_options_for_itself_and_for_who_answers() -> None:
    model = model_of(GATEWAY, id="amazon/nova-pro")
    options = {**default_options(model, SessionID("ses_1"), {}), "reasoningEffort": "high"}
    sent = body(GATEWAY, model=model, options=options)
    assert sent["providerOptions"] == {"gateway": {"caching": "auto"}, "bedrock": {"reasoningEffort": "high"}}
    assert "reasoning_effort" not in sent and "gateway" not in sent
    assert "providerOptions" not in body(GATEWAY)


def test_venice_adds_no_system_text_of_its_own() -> None:
    assert body(VENICE)["venice_parameters"] == {"include_venice_system_prompt": False}
    small = body(VENICE, options={"veniceParameters": {"disableThinking": True}})
    assert small["venice_parameters"] == {"include_venice_system_prompt": False, "disable_thinking": True}
    assert "veniceParameters" not in small


@pytest.mark.parametrize(("said", "effort"), [("enabled", "high"), ("disabled", "none")])
def test_cohere_thinks_or_does_not(said: str, effort: str) -> None:
    sent = body(COHERE, options={"thinking": {"type": said, "tokenBudget": 100}})
    assert sent["reasoning_effort"] == effort and "thinking" not in sent


def test_alibabas_options_are_spelled_as_its_api_does() -> None:
    sent = body("@ai-sdk/alibaba", options={"enableThinking": True, "thinkingBudget": 100})
    assert (sent["enable_thinking"], sent["thinking_budget"]) == (True, 100)


async def test_thoughts_that_come_as_blocks_of_the_content_are_thoughts(chat: WireUnderTest) -> None:
    block = b'{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}'
    thought = b'data: {"choices":[{"delta":{"content":[%s]}}]}\n\n' % block
    chat.server.push(turn(Raw(thought), "Yes."))
    events = await chat.ask()
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["Hm."]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Yes."]


def test_groqs_own_count_of_tokens_is_read() -> None:
    decoder = OpenAIChat().decoder(request_of(GROQ))
    usage = b'{"usage":{"prompt_tokens":70,"completion_tokens":8,"total_tokens":78}}'
    events = [
        *decoder.feed(b'{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":%s}' % usage),
        *decoder.finish(),
    ]
    end = events[-1]
    assert isinstance(end, StepFinish) and (end.usage.input, end.usage.output) == (70, 8)
