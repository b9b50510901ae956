"""Messages: the request as the API expects it, cache marks, and thinking that comes back signed."""

import pytest

from opencode.provider.connection import Connection
from opencode.provider.errors import ApiCallFailed, ProviderAuthFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ModelMessage,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.stream import ReasoningDelta, ReasoningEnd, StepFinish
from opencode.provider.wire.anthropic import AnthropicMessages, anthropic_messages
from tests.support.scripted_model.script import Fail, Reasoning, Redacted, StreamError, turn
from tests.support.wires import ANTHROPIC, WireUnderTest, request_of, whole

EPHEMERAL = {"type": "ephemeral"}
TOOL = ToolDefinition(name="read", description="Reads.", parameters={"type": "object"})


def user(text: str) -> UserTurn:
    return UserTurn(content=[TextContent(text=text)])


async def test_a_plain_request_holds_what_is_needed_and_no_more(anthropic: WireUnderTest) -> None:
    """Source: trace ``wire_anthropic``."""
    await anthropic.ask(anthropic.request("Use a tool", tools=[TOOL]))
    sent = anthropic.server.requests[0]
    assert sent.path == "/v1/messages"
    assert sent.headers["x-api-key"] == "key-wire"
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in sent.headers
    assert sent.body == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8000,
        "system": [{"type": "text", "text": "You are a test.", "cache_control": EPHEMERAL}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Use a tool", "cache_control": EPHEMERAL}]}],
        "tools": [{"name": "read", "description": "Reads.", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto"},
        "stream": True,
    }


def test_the_last_two_turns_carry_a_cache_mark_on_their_last_block() -> None:
    """Source: trace ``wire_anthropic``."""
    signed = {"anthropic": {"signature": "c2ln"}}
    history: list[ModelMessage] = [
        user("Use a tool"),
        AssistantTurn(
            content=[
                ReasoningContent(text="Let me think.", metadata=signed),
                TextContent(text="Reading."),
                ToolCallContent(call_id="call_1", name="read", input={"filePath": "/a"}),
            ]
        ),
        ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="alpha")]),
    ]
    assert anthropic_messages(history) == [
        {"role": "user", "content": [{"type": "text", "text": "Use a tool"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Let me think.", "signature": "c2ln"},
                {"type": "text", "text": "Reading."},
                {
                    "type": "tool_use",
                    "id": "call_1",
                    "name": "read",
                    "input": {"filePath": "/a"},
                    "cache_control": EPHEMERAL,
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "alpha", "cache_control": EPHEMERAL}
            ],
        },
    ]


async def test_thinking_comes_back_signed_and_redacted_blocks_byte_for_byte(anthropic: WireUnderTest) -> None:
    anthropic.server.push(turn(Reasoning("Hm.", seal="s/+=="), Redacted("secret+/=="), "So."))
    events = await anthropic.ask()
    ends = [event.metadata for event in events if isinstance(event, ReasoningEnd)]
    assert ends == [{"anthropic": {"signature": "s/+=="}}, {"anthropic": {"redactedData": "secret+/=="}}]
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["Hm.", ""]
    replay = AssistantTurn(
        content=[ReasoningContent(text="Hm.", metadata=ends[0]), ReasoningContent(text="", metadata=ends[1])]
    )
    await anthropic.ask(anthropic.request(messages=[user("a"), replay, user("b")]))
    assert anthropic.server.requests[1].body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "s/+=="},
        {"type": "redacted_thinking", "data": "secret+/=="},
    ]


def test_results_and_the_next_user_turn_are_one_message_and_empty_turns_none() -> None:
    messages = anthropic_messages(
        [
            user("a"),
            AssistantTurn(content=[TextContent(text=""), ReasoningContent(text="unsigned")]),
            ToolTurn(content=[ToolResultContent(call_id="c", name="x", output="bad", is_error=True)]),
            user("b"),
        ]
    )
    assert [(m["role"], [b["type"] for b in m["content"]]) for m in messages] == [
        ("user", ["text", "tool_result", "text"])
    ]
    assert messages[0]["content"][1]["is_error"] is True


def test_a_prefilled_answer_does_not_end_in_blanks() -> None:
    messages = anthropic_messages([user("a"), AssistantTurn(content=[TextContent(text="Well, \n")])])
    assert messages[-1]["content"][-1]["text"] == "Well,"


def test_files_become_images_and_documents() -> None:
    image = FileContent(mime="image/png", url="data:image/png;base64,AAA")
    paper = FileContent(mime="application/pdf", url="https://x/y.pdf", filename="y.pdf")
    result = ToolResultContent(call_id="c", name="read", output="seen", files=[image])
    messages = anthropic_messages([UserTurn(content=[image, paper]), ToolTurn(content=[result])])
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAA"}}
    assert messages[0]["content"][:2] == [
        shown,
        {
            "type": "document",
            "source": {"type": "url", "url": "https://x/y.pdf"},
            "title": "y.pdf",
            "cache_control": EPHEMERAL,
        },
    ]
    assert messages[0]["content"][2]["content"] == [{"type": "text", "text": "seen"}, shown]


def test_thinking_takes_a_budget_on_top_and_no_sampling() -> None:
    options = {"thinking": {"type": "enabled", "budgetTokens": 1000}}
    request = request_of(ANTHROPIC, options=options, temperature=0.5, top_p=0.9, max_output_tokens=4000)
    body = AnthropicMessages().body(request)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 1000}
    assert body["max_tokens"] == 5000
    assert "temperature" not in body and "top_p" not in body


async def test_adaptive_thinking_sends_its_effort_and_keeps_other_betas(anthropic: WireUnderTest) -> None:
    options = {"thinking": {"type": "adaptive"}, "effort": "max"}
    await anthropic.ask(anthropic.request(options=options, headers={"Anthropic-Beta": "other"}))
    sent = anthropic.server.requests[0]
    assert (sent.body["thinking"], sent.body["output_config"]) == ({"type": "adaptive"}, {"effort": "max"})
    assert sent.headers["anthropic-beta"] == "effort-2025-11-24,other"


@pytest.mark.parametrize(("choice", "sent"), [("auto", "auto"), ("required", "any"), ("none", "none")])
def test_the_tool_choice_is_told_in_its_words(choice: str, sent: str) -> None:
    body = AnthropicMessages().body(request_of(ANTHROPIC, tools=[TOOL], tool_choice=choice))
    assert body["tool_choice"] == {"type": sent}


@pytest.mark.parametrize(("kind", "sent"), [("enabled", "auto"), ("adaptive", "auto"), ("disabled", "any")])
def test_a_model_that_thinks_cannot_be_forced_to_call(kind: str, sent: str) -> None:
    options = {"thinking": {"type": kind}}
    body = AnthropicMessages().body(request_of(ANTHROPIC, tools=[TOOL], tool_choice="required", options=options))
    assert body["tool_choice"] == {"type": sent}


async def test_stop_reasons_of_this_api_are_known(anthropic: WireUnderTest) -> None:
    for finish, reason in (("pause_turn", "stop"), ("model_context_window_exceeded", "length"), ("new", "other")):
        anthropic.server.push(turn("x", finish=finish))
        end = (await anthropic.ask())[-1]
        assert isinstance(end, StepFinish) and end.reason == reason


async def test_an_overload_in_the_stream_is_retryable_and_a_bad_request_is_not(anthropic: WireUnderTest) -> None:
    for kind, retryable in (("overloaded_error", True), ("invalid_request_error", False)):
        anthropic.server.push(turn(StreamError("Overloaded", type=kind)))
        with pytest.raises(ApiCallFailed) as raised:
            await anthropic.ask()
        assert (raised.value.message, raised.value.is_retryable) == ("Overloaded", retryable)


async def test_without_a_key_no_request_is_made(anthropic: WireUnderTest) -> None:
    anthropic.server.push(turn(Fail(401)))
    model = anthropic.pool.language_model(Connection("nokey", ANTHROPIC, anthropic.server.url))
    with pytest.raises(ProviderAuthFailed):
        await whole(model, anthropic.request())
    assert anthropic.server.requests == []


async def test_a_bearer_token_takes_the_place_of_a_key(anthropic: WireUnderTest) -> None:
    connection = Connection("token", ANTHROPIC, anthropic.server.url, options={"authToken": "t"})
    await whole(anthropic.pool.language_model(connection), anthropic.request())
    sent = anthropic.server.requests[0].headers
    assert sent["authorization"] == "Bearer t" and "x-api-key" not in sent
