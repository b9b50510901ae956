"""Google's wire: what is sent, what is replayed, and what its answers mean."""

from typing import Any

import pytest

from opencode.provider.errors import ApiCallFailed, ModelCallError, ProviderAuthFailed
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
from opencode.provider.stream import ReasoningEnd, StepFinish, TextEnd, ToolCall
from opencode.provider.wire.google_schema import google_schema
from tests.support.scripted_model.encoders import event
from tests.support.scripted_model.script import Call, Fail, Raw, Reasoning, turn
from tests.support.wires import GOOGLE, WireUnderTest, model_of, text_of, wire_under_test


async def sent(google: WireUnderTest, **changes: Any) -> dict[str, Any]:
    """The body of a request."""
    await google.ask(google.request(**changes))
    return google.server.requests[-1].body


async def test_the_model_stands_in_the_path_and_the_key_in_a_header(google: WireUnderTest) -> None:
    await google.ask()
    request = google.server.requests[0]
    assert request.path == "/v1/models/gemini-3-wire:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == "key-wire"
    assert "key-wire" not in request.path


async def test_without_a_key_nothing_is_sent() -> None:
    async with wire_under_test(GOOGLE, key=None) as google:
        with pytest.raises(ProviderAuthFailed):
            await google.ask()
        assert google.server.requests == []


async def test_system_texts_limits_and_options_have_their_places(google: WireUnderTest) -> None:
    options = {"thinkingConfig": {"includeThoughts": True}, "safetySettings": [{"category": "c", "threshold": "t"}]}
    body = await sent(google, temperature=1.0, top_p=0.95, top_k=64, options={**options, "unknown": 1})
    assert body["systemInstruction"] == {"parts": [{"text": "You are a test."}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]
    assert body["generationConfig"] == {
        "maxOutputTokens": 8000,
        "temperature": 1.0,
        "topP": 0.95,
        "topK": 64,
        "thinkingConfig": {"includeThoughts": True},
    }
    assert body["safetySettings"] == options["safetySettings"]
    assert "unknown" not in body and "tools" not in body


async def test_signatures_come_with_parts_and_go_back_with_them(google: WireUnderTest) -> None:
    google.server.push(turn(Reasoning("Plan.", chunks=2, seal="seal-1"), "Text.", Call("read", {"a": 1}, id="call_1")))
    events = await google.ask()
    thought = next(event for event in events if isinstance(event, ReasoningEnd))
    text = next(event for event in events if isinstance(event, TextEnd))
    call = next(event for event in events if isinstance(event, ToolCall))
    assert (thought.metadata, text.metadata) == ({"google": {"thoughtSignature": "seal-1"}}, None)
    said = AssistantTurn(
        content=[
            ReasoningContent(text="Plan.", metadata=thought.metadata),
            TextContent(text="Text."),
            ToolCallContent(call_id=call.call_id, name=call.name, input=call.input, metadata=call.metadata),
        ]
    )
    result = ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="content")])
    body = await sent(google, messages=[UserTurn(content=[TextContent(text="Hi")]), said, result])
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Plan.", "thought": True, "thoughtSignature": "seal-1"},
                {"text": "Text."},
                {"functionCall": {"name": "read", "args": {"a": 1}}, "thoughtSignature": "seal of call_1"},
            ],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "read", "response": {"output": "content"}}}]},
    ]


async def test_a_call_of_another_model_is_signed_as_unsigned(google: WireUnderTest) -> None:
    calls = [ToolCallContent(call_id=f"c{n}", name="read", input={}) for n in (1, 2)]
    messages = [AssistantTurn(content=[ReasoningContent(text="unsigned"), *calls])]
    body = await sent(google, messages=messages)
    assert body["contents"][0]["parts"] == [
        {"functionCall": {"name": "read", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"},
        {"functionCall": {"name": "read", "args": {}}},
    ]
    older = await sent(google, messages=messages, model=model_of(GOOGLE, id="gemini-2.5-pro"))
    assert "thoughtSignature" not in older["contents"][0]["parts"][0]


async def test_turns_of_one_side_are_joined(google: WireUnderTest) -> None:
    failed = ToolResultContent(call_id="c", name="read", output="no such file", is_error=True)
    messages = [ToolTurn(content=[failed]), UserTurn(content=[TextContent(text="go on")])]
    body = await sent(google, messages=messages)
    assert body["contents"] == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "read", "response": {"error": "no such file"}}},
                {"text": "go on"},
            ],
        }
    ]


async def test_media_are_sent_as_data_or_by_reference(google: WireUnderTest) -> None:
    files = [
        FileContent(mime="image/png", url="data:image/png;base64,aGk="),
        FileContent(mime="application/pdf", url="https://example.org/a.pdf"),
    ]
    body = await sent(google, messages=[UserTurn(content=files)])
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.org/a.pdf"}},
    ]


async def test_tools_are_declared_with_the_choice(google: WireUnderTest) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    tools = [
        ToolDefinition(name="read", description="Reads.", parameters=schema),
        ToolDefinition(name="list", description="Lists.", parameters={"type": "object", "properties": {}}),
    ]
    body = await sent(google, tools=tools, tool_choice="required")
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "read",
                    "description": "Reads.",
                    "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                },
                {"name": "list", "description": "Lists."},
            ]
        }
    ]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


async def test_a_call_without_an_id_gets_one_of_its_own(google: WireUnderTest) -> None:
    part = {"functionCall": {"name": "read", "args": {"a": 1}}}
    chunk = {"candidates": [{"content": {"parts": [part, part]}}]}
    google.server.push(turn(Raw(event(chunk))))
    events = await google.ask()
    ids = [event.call_id for event in events if isinstance(event, ToolCall)]
    assert len(set(ids)) == 2 and all(id.startswith("call_") for id in ids)
    assert isinstance(events[-1], StepFinish) and events[-1].reason == "tool-calls"


async def test_a_blocked_prompt_ends_as_filtered(google: WireUnderTest) -> None:
    google.server.push(turn(Raw(event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})), finish="SAFETY"))
    end = (await google.ask())[-1]
    assert isinstance(end, StepFinish) and end.reason == "content-filter"


@pytest.mark.parametrize(("reason", "ours"), [("MALFORMED_FUNCTION_CALL", "error"), ("SOMETHING_NEW", "other")])
async def test_odd_reasons_to_finish_are_told(google: WireUnderTest, reason: str, ours: str) -> None:
    google.server.push(turn("x", finish=reason))
    end = (await google.ask())[-1]
    assert isinstance(end, StepFinish) and end.reason == ours


@pytest.mark.parametrize(("status", "again"), [(400, False), (429, True), (500, True)])
async def test_errors_within_the_stream_keep_their_status(google: WireUnderTest, status: int, again: bool) -> None:
    google.server.push(turn("Half", Raw(event({"error": {"code": status, "message": "no", "status": "X"}}))))
    with pytest.raises(ModelCallError) as raised:
        await google.ask()
    error = raised.value
    assert isinstance(error, ApiCallFailed) and (error.status_code, error.is_retryable) == (status, again)


async def test_errors_name_the_url_without_the_key(google: WireUnderTest) -> None:
    google.server.push(turn(Fail(400, "API key not valid: key-wire")))
    with pytest.raises(ApiCallFailed) as raised:
        await google.ask()
    assert raised.value.metadata["url"].endswith("/models/gemini-3-wire:streamGenerateContent?alt=sse")
    assert "key-wire" not in f"{raised.value.message} {raised.value.body}"


async def test_empty_pieces_open_nothing(google: WireUnderTest) -> None:
    google.server.push(turn(Raw(event({"candidates": [{"content": {"parts": [{"text": ""}]}}]})), "a"))
    assert text_of(await google.ask()) == "a"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "enum": [1, 2]}, {"type": "string", "enum": ["1", "2"]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "integer"}}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "gone"]},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        ({"type": "string", "properties": {"a": {}}, "required": ["a"]}, {"type": "string"}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": 0, "$comment": "x"}, {"type": "integer", "minimum": 1}),
        (True, {}),
    ],
)
def test_schemas_are_rewritten_into_what_gemini_takes(schema: Any, expected: Any) -> None:
    assert google_schema(schema) == expected
