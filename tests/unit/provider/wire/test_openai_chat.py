"""Chat Completions: the request as providers expect it, and the oddities of some of them."""

import json

import pytest

from opencode.core.ids import ProviderID
from opencode.core.wire import replace
from opencode.provider.connection import Connection
from opencode.provider.errors import ApiCallFailed, ProviderInitFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Interleaved
from opencode.provider.stream import ReasoningEnd, StepFinish, ToolCall
from opencode.provider.wire.openai_chat import OpenAIChat
from tests.support.scripted_model.script import Call, Cut, Raw, turn
from tests.support.wires import CHAT, WireUnderTest, model_of, request_of, text_of

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOL = ToolDefinition(name="read", description="Reads.", parameters={"type": "object", "properties": {}})


def chunk(**delta: object) -> Raw:
    return Raw(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")


async def test_a_plain_request_holds_what_is_needed_and_no_more(chat: WireUnderTest) -> None:
    """Source: trace ``wire_openai_chat``."""
    await chat.ask(chat.request("Use a tool", tools=[TOOL]))
    sent = chat.server.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer key-wire"
    assert sent.body == {
        "model": "some-model",
        "max_tokens": 8000,
        "messages": [
            {"role": "system", "content": "You are a test."},
            {"role": "user", "content": "Use a tool"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "read",
                    "description": "Reads.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
        "tool_choice": "auto",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_history_is_replayed_with_reasoning_calls_and_results() -> None:
    """Source: trace ``wire_openai_chat``."""
    request = request_of(
        CHAT,
        messages=[
            UserTurn(content=[TextContent(text="look"), FileContent(mime="image/png", url=PIXEL)]),
            AssistantTurn(
                content=[
                    ReasoningContent(text="Let me think."),
                    TextContent(text="Reading."),
                    ToolCallContent(call_id="call_1", name="read", input={"filePath": "/a"}),
                ]
            ),
            ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="alpha")]),
            AssistantTurn(content=[ToolCallContent(call_id="call_2", name="read", input={})]),
        ],
    )
    assert OpenAIChat().body(request)["messages"][1:] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
        },
        {
            "role": "assistant",
            "content": "Reading.",
            "reasoning_content": "Let me think.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"filePath":"/a"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "alpha"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call_2", "type": "function", "function": {"name": "read", "arguments": "{}"}}],
        },
    ]


def test_options_are_renamed_dropped_or_passed_through() -> None:
    options = {
        "reasoningEffort": "high",
        "reasoningSummary": "auto",
        "textVerbosity": "low",
        "promptCacheKey": "ses_1",
        "store": False,
        "chat_template_args": {"enable_thinking": True},
    }
    body = OpenAIChat().body(request_of(CHAT, options=options, temperature=0.5, top_p=0.9, top_k=5))
    assert {name: body[name] for name in body if name not in ("model", "messages", "max_tokens", "stream")} == {
        "reasoning_effort": "high",
        "verbosity": "low",
        "prompt_cache_key": "ses_1",
        "chat_template_args": {"enable_thinking": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "stream_options": {"include_usage": True},
    }


def test_the_model_s_own_field_takes_its_reasoning_back() -> None:
    model = model_of(CHAT)
    model = replace(model, capabilities=replace(model.capabilities, interleaved=Interleaved(field="reasoning_details")))
    turn_ = AssistantTurn(content=[ReasoningContent(text="a"), ReasoningContent(text="b"), TextContent(text="x")])
    sent = OpenAIChat().body(request_of(CHAT, model=model, messages=[turn_]))["messages"][-1]
    assert sent == {"role": "assistant", "content": "x", "reasoning_details": "ab"}


def test_a_model_that_wants_its_reasoning_back_gets_the_field_with_every_answer() -> None:
    model = model_of(CHAT)
    capabilities = replace(model.capabilities, interleaved=Interleaved(field="reasoning_content"))
    request = request_of(
        CHAT, model=replace(model, capabilities=capabilities), messages=[AssistantTurn(content=[TextContent(text="x")])]
    )
    sent = OpenAIChat().body(request)["messages"][-1]
    assert sent == {"role": "assistant", "content": "x", "reasoning_content": ""}


def test_claude_behind_a_compatible_gateway_gets_cache_marks() -> None:
    request = request_of(CHAT, "one", "two", "three", model=model_of(CHAT, id="anthropic/claude-sonnet-4.5"))
    marked = [
        isinstance(message["content"], list) and "cache_control" in message["content"][-1]
        for message in OpenAIChat().body(request)["messages"]
    ]
    assert marked == [True, False, True, True]


async def test_two_calls_on_the_same_index_are_two_calls(chat: WireUnderTest) -> None:
    chat.server.push(turn(Call("bash", {"n": 1}, id="a", index=0), Call("bash", {"n": 2}, id="b", index=0)))
    calls = [(e.call_id, e.name, e.input) for e in await chat.ask() if isinstance(e, ToolCall)]
    assert calls == [("a", "bash", {"n": 1}), ("b", "bash", {"n": 2})]


async def test_pieces_of_two_calls_may_alternate(chat: WireUnderTest) -> None:
    def piece(index: int, arguments: str, **head: object) -> Raw:
        function = {"arguments": arguments, **({"name": head.pop("name")} if "name" in head else {})}
        return chunk(tool_calls=[{"index": index, "function": function, **head}])

    chat.server.push(
        turn(
            piece(0, '{"n"', id="a", name="x"),
            piece(1, '{"n"', id="b", name="y"),
            piece(0, ":1}"),
            piece(1, ":2}"),
            finish="tool_calls",
        )
    )
    calls = [(e.call_id, e.input) for e in await chat.ask() if isinstance(e, ToolCall)]
    assert calls == [("a", {"n": 1}), ("b", {"n": 2})]


async def test_calls_make_the_step_a_tool_step_whatever_the_server_says(chat: WireUnderTest) -> None:
    chat.server.push(turn(Call("read", {}), finish="stop"))
    finish = (await chat.ask())[-1]
    assert isinstance(finish, StepFinish) and finish.reason == "tool-calls"


async def test_an_unknown_finish_reason_is_other(chat: WireUnderTest) -> None:
    chat.server.push(turn("x", finish="tired"))
    finish = (await chat.ask())[-1]
    assert isinstance(finish, StepFinish) and finish.reason == "other"


async def test_done_without_a_finish_reason_is_a_cut(chat: WireUnderTest) -> None:
    chat.server.push(turn("x", Raw(b"data: [DONE]\n\n"), Cut(clean=True)))
    with pytest.raises(ApiCallFailed) as raised:
        await chat.ask()
    assert "ended early" in raised.value.message and raised.value.is_retryable


async def test_missing_and_null_fields_are_tolerated(chat: WireUnderTest) -> None:
    odd = (
        b'data: {"choices":null}\n\ndata: {}\n\ndata: {"choices":[{"delta":null}]}\n\n'
        b'data: {"choices":[{"delta":{"content":null,"tool_calls":null,"role":"assistant"}}],"usage":null}\n\n'
    )
    chat.server.push(turn(Raw(odd), "fine"))
    assert text_of(await chat.ask()) == "fine"


async def test_reasoning_details_come_back_as_they_came(chat: WireUnderTest) -> None:
    """OpenRouter's encrypted reasoning must be replayed whole."""
    text, sealed = {"type": "reasoning.text", "index": 0}, {"type": "reasoning.encrypted", "index": 1, "data": "abc"}
    chat.server.push(
        turn(
            chunk(reasoning_details=[{**text, "text": "Let "}]),
            chunk(reasoning_details=[{**text, "text": "me."}]),
            chunk(reasoning_details=[sealed]),
            "So.",
        )
    )
    end = next(event for event in await chat.ask() if isinstance(event, ReasoningEnd))
    replay = AssistantTurn(content=[ReasoningContent(text="Let me.", metadata=end.metadata)])
    sent = OpenAIChat().body(request_of(CHAT, messages=[replay]))["messages"][-1]
    assert sent["reasoning_details"] == [{**text, "text": "Let me."}, sealed]


async def test_a_quota_error_in_the_stream_is_final(chat: WireUnderTest) -> None:
    chat.server.push(turn(Raw(b'data: {"error":{"message":"m","code":"insufficient_quota"}}\n\n')))
    with pytest.raises(ApiCallFailed) as raised:
        await chat.ask()
    assert not raised.value.is_retryable


async def test_a_provider_without_a_url_or_an_adapter_is_refused(chat: WireUnderTest) -> None:
    with pytest.raises(ProviderInitFailed):
        chat.pool.language_model(Connection("p", CHAT, ""))
    with pytest.raises(ProviderInitFailed):
        chat.pool.language_model(Connection(ProviderID("p"), "@ai-sdk/unheard-of", "http://x"))
