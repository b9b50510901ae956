"""Responses: the request as the API expects it, and reasoning that comes back sealed."""

import pytest

from opencode.core.ids import ProviderID, SessionID
from opencode.core.wire import replace
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.options import default_options
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
from opencode.provider.schema import Model
from opencode.provider.stream import ReasoningEnd, ReasoningStart, TextEnd, TextStart, ToolCall
from opencode.provider.wire.openai_responses import OpenAIResponses
from tests.support.scripted_model.script import Call, Raw, Reasoning, turn
from tests.support.wires import RESPONSES, WireUnderTest, model_of, request_of, whole

PIXEL = "data:image/png;base64,iVBORw0KGgo="


async def test_a_plain_request_holds_what_is_needed_and_no_more(responses: WireUnderTest) -> None:
    """Source: trace ``wire_openai``."""
    model = model_of(RESPONSES)
    tool = ToolDefinition(name="read", description="Reads.", parameters={"type": "object"})
    options = default_options(model, SessionID("ses_1"), {})
    await responses.ask(responses.request("Use a tool", tools=[tool], options=options, temperature=0.3))
    sent = responses.server.requests[0]
    assert sent.path == "/v1/responses"
    assert sent.body == {
        "model": "gpt-5-wire",
        "input": [
            {"role": "developer", "content": "You are a test."},
            {"role": "user", "content": [{"type": "input_text", "text": "Use a tool"}]},
        ],
        "max_output_tokens": 8000,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "ses_1",
        "reasoning": {"effort": "medium", "summary": "auto"},
        "tools": [
            {
                "type": "function",
                "name": "read",
                "description": "Reads.",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "tool_choice": "auto",
        "stream": True,
    }


async def test_parts_carry_what_must_be_replayed(responses: WireUnderTest) -> None:
    """Source: trace ``wire_openai``."""
    responses.server.push(turn(Reasoning("Let me think.", seal="ZW5j"), "Reading.", Call("read", {})))
    events = await responses.ask()
    begun = {"openai": {"itemId": "rs_1_0", "reasoningEncryptedContent": None}}
    sealed = {"openai": {"itemId": "rs_1_0", "reasoningEncryptedContent": "ZW5j"}}
    text = {"openai": {"itemId": "msg_1_1"}}
    assert [event.metadata for event in events if isinstance(event, ReasoningStart | ReasoningEnd)] == [begun, sealed]
    assert [event.metadata for event in events if isinstance(event, TextStart | TextEnd)] == [text, text]
    assert [event.metadata for event in events if isinstance(event, ToolCall)] == [{"openai": {"itemId": "fc_1_2"}}]


async def test_the_second_turn_brings_reasoning_back_unchanged(responses: WireUnderTest) -> None:
    """Source: trace ``wire_openai``."""
    sealed = {"openai": {"itemId": "rs_1", "reasoningEncryptedContent": "ZW5j+/="}}
    history = [
        UserTurn(content=[TextContent(text="Use a tool"), FileContent(mime="image/png", url=PIXEL)]),
        AssistantTurn(
            content=[
                ReasoningContent(text="Let me", metadata=sealed),
                ReasoningContent(text="think.", metadata=sealed),
                TextContent(text="Reading.", metadata={"openai": {"itemId": "msg_1"}}),
                ToolCallContent(call_id="call_1", name="read", input={"filePath": "/a"}),
            ]
        ),
        ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="alpha")]),
    ]
    await responses.ask(responses.request(messages=history))
    assert responses.server.requests[0].body["input"][1:] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Use a tool"},
                {"type": "input_image", "image_url": PIXEL},
            ],
        },
        {
            "type": "reasoning",
            "encrypted_content": "ZW5j+/=",
            "summary": [{"type": "summary_text", "text": "Let me"}, {"type": "summary_text", "text": "think."}],
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "Reading."}]},
        {"type": "function_call", "call_id": "call_1", "name": "read", "arguments": '{"filePath":"/a"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "alpha"},
    ]


def test_reasoning_that_was_never_sealed_is_left_out() -> None:
    turn_ = AssistantTurn(content=[ReasoningContent(text="open"), TextContent(text="x")])
    items = OpenAIResponses().body(request_of(RESPONSES, messages=[turn_]))["input"]
    assert [item.get("type", item.get("role")) for item in items] == ["developer", "assistant"]


def without_reasoning(name: str) -> Model:
    model = model_of(RESPONSES, id=name)
    return replace(model, capabilities=replace(model.capabilities, reasoning=False))


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        (without_reasoning("gpt-5-mini"), True),
        (without_reasoning("gpt-4.1"), False),
        (model_of(RESPONSES, id="my-deployment"), True),
        (model_of(RESPONSES, id="gpt-5-chat-latest"), False),
    ],
)
def test_a_model_reasons_by_its_family_or_by_what_is_known_of_it(model: Model, reasons: bool) -> None:
    body = OpenAIResponses().body(request_of(RESPONSES, model=model, options={"reasoningEffort": "high"}))
    assert ("reasoning" in body) is reasons


@pytest.mark.parametrize(("provider", "limit"), [("openai", None), ("mine", 8_000)])
def test_openai_itself_gets_no_limit_that_would_cut_off_thoughts(provider: str, limit: int | None) -> None:
    model = replace(model_of(RESPONSES), provider_id=ProviderID(provider))
    assert OpenAIResponses().body(request_of(RESPONSES, model=model)).get("max_output_tokens") == limit


def test_models_that_do_not_reason_get_sampling_and_a_system_message() -> None:
    request = request_of(
        RESPONSES,
        model=without_reasoning("gpt-4.1"),
        temperature=0.3,
        top_p=0.9,
        options={"reasoningEffort": "high", "textVerbosity": "low", "serviceTier": "flex", "odd": 1},
    )
    body = OpenAIResponses().body(request)
    assert body["input"][0]["role"] == "system"
    assert (body["temperature"], body["top_p"], body["text"], body["service_tier"]) == (
        0.3,
        0.9,
        {"verbosity": "low"},
        "flex",
    )
    assert "reasoning" not in body and "odd" not in body


def test_an_image_of_a_tool_result_stays_in_the_result() -> None:
    result = ToolResultContent(
        call_id="c", name="read", output="seen", files=[FileContent(mime="image/png", url=PIXEL)]
    )
    items = OpenAIResponses().body(request_of(RESPONSES, messages=[ToolTurn(content=[result])]))["input"]
    output = [{"type": "input_text", "text": "seen"}, {"type": "input_image", "image_url": PIXEL}]
    assert items[-1] == {"type": "function_call_output", "call_id": "c", "output": output}


async def test_a_second_summary_of_one_item_is_a_part_of_its_own(responses: WireUnderTest) -> None:
    second = (
        b'data: {"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs"}}\n\n'
        b'data: {"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"a"}\n\n'
        b'data: {"type":"response.reasoning_summary_part.added","output_index":0,"summary_index":1}\n\n'
        b'data: {"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"b"}\n\n'
        b'data: {"type":"response.output_item.done","output_index":0,'
        b'"item":{"type":"reasoning","id":"rs","encrypted_content":"E"}}\n\n'
    )
    responses.server.push(turn(Raw(second)))
    events = await responses.ask()
    assert [event.id for event in events if isinstance(event, ReasoningStart)] == ["rs:0", "rs:1"]
    ends = [event for event in events if isinstance(event, ReasoningEnd)]
    assert [(end.id, (end.metadata or {})["openai"]["reasoningEncryptedContent"]) for end in ends] == [
        ("rs:0", "E"),
        ("rs:1", "E"),
    ]


async def test_without_a_key_no_request_is_made(responses: WireUnderTest) -> None:
    model = responses.pool.language_model(Connection("nokey", RESPONSES, responses.server.url))
    with pytest.raises(ProviderAuthFailed):
        await whole(model, responses.request())
    assert responses.server.requests == []
