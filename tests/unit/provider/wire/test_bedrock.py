"""Amazon Bedrock: signed requests, frames, and what Converse wants said otherwise."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from opencode.auth.secret import Secret
from opencode.provider.errors import (
    ApiCallFailed,
    ContextOverflow,
    ModelCallError,
    ProviderAuthFailed,
    ProviderInitFailed,
    StreamFault,
)
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
from opencode.provider.stream import ReasoningEnd, StepFinish, ToolCall, Usage
from opencode.provider.wire.bedrock_regions import model_in_region
from tests.support.scripted_model.encoders import amazon_frame
from tests.support.scripted_model.script import Call, Cut, Fail, Raw, Redacted, StreamError, Tokens, turn
from tests.support.wires import BEDROCK, WireUnderTest, model_of, wire_under_test

ACCOUNT = {"region": "eu-west-1", "accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "secret-of-the-account"}


@pytest.fixture
async def bedrock() -> AsyncIterator[WireUnderTest]:
    async with wire_under_test(BEDROCK) as opened:
        yield opened


async def failure(wire: WireUnderTest) -> ModelCallError:
    with pytest.raises(ModelCallError) as raised:
        await wire.ask()
    return raised.value


async def sent(bedrock: WireUnderTest, **changes: Any) -> dict[str, Any]:
    await bedrock.ask(bedrock.request(**changes))
    return bedrock.server.requests[-1].body


async def test_a_bearer_token_goes_before_an_account(bedrock: WireUnderTest) -> None:
    await bedrock.ask()
    request = bedrock.server.requests[0]
    assert request.path == "/v1/model/m/converse-stream"
    assert request.headers["authorization"] == "Bearer key-wire"


async def test_requests_of_an_account_are_signed_and_hold_no_secret() -> None:
    async with wire_under_test(BEDROCK, key=None, options={**ACCOUNT, "sessionToken": "session-1"}) as bedrock:
        model = model_of(BEDROCK, id="anthropic.claude-sonnet-4-5:0")
        await bedrock.ask(bedrock.request(model=model))
        request = bedrock.server.requests[0]
    assert request.path == "/v1/model/eu.anthropic.claude-sonnet-4-5%3A0/converse-stream"
    signature = request.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/bedrock/aws4_request" in signature and "x-amz-security-token" in signature
    assert request.headers["x-amz-security-token"] == "session-1"
    assert "secret-of-the-account" not in str(request.headers)


async def test_without_an_account_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    async with wire_under_test(BEDROCK, key=None) as bedrock:
        error = await failure(bedrock)
        assert isinstance(error, ProviderAuthFailed) and "AWS_BEARER_TOKEN_BEDROCK" in error.message
        assert bedrock.server.requests == []


async def test_half_a_key_of_an_account_is_told_and_not_used() -> None:
    async with wire_under_test(BEDROCK, key=None, options={"accessKeyId": "AKIDEXAMPLE"}) as bedrock:
        error = await failure(bedrock)
        assert isinstance(error, ProviderAuthFailed) and "options.secretAccessKey" in error.message
        assert bedrock.server.requests == []


@pytest.mark.parametrize("key", [None, Secret("key-wire")])
async def test_without_the_library_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, key: Secret | None) -> None:
    monkeypatch.setattr("opencode.provider.wire.bedrock.find_spec", lambda _: None)
    with pytest.raises(ProviderInitFailed, match=r"opencode-server\[bedrock\]"):
        async with wire_under_test(BEDROCK, key=key):
            pass


async def test_a_request_holds_what_converse_wants(bedrock: WireUnderTest) -> None:
    tool = ToolDefinition(name="read", description="Reads.", parameters={"type": "object"})
    messages = [
        UserTurn(content=[TextContent(text="Look"), FileContent(mime="image/png", url="data:image/png;base64,aGk=")]),
        AssistantTurn(
            content=[
                ReasoningContent(text="unsigned"),
                TextContent(text="Looking. \n"),
                ToolCallContent(call_id="c1", name="read", input={"a": 1}),
            ]
        ),
        ToolTurn(content=[ToolResultContent(call_id="c1", name="read", output="gone", is_error=True)]),
        UserTurn(content=[TextContent(text="And now?")]),
    ]
    body = await sent(bedrock, messages=messages, tools=[tool], temperature=0.5, top_k=5)
    assert body == {
        "system": [{"text": "You are a test."}],
        "messages": [
            {
                "role": "user",
                "content": [{"text": "Look"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}],
            },
            {
                "role": "assistant",
                "content": [
                    {"text": "Looking."},
                    {"toolUse": {"toolUseId": "c1", "name": "read", "input": {"a": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "c1", "content": [{"text": "gone"}], "status": "error"}},
                    {"text": "And now?"},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 8000, "temperature": 0.5},
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "read", "description": "Reads.", "inputSchema": {"json": {"type": "object"}}}}
            ],
            "toolChoice": {"auto": {}},
        },
        "additionalModelRequestFields": {"top_k": 5},
    }


async def test_cache_points_follow_the_last_two_turns_of_claude(bedrock: WireUnderTest) -> None:
    model = model_of(BEDROCK, id="anthropic.claude-sonnet-4-5")
    body = await sent(bedrock, model=model)
    point = {"cachePoint": {"type": "default"}}
    assert body["system"] == [{"text": "You are a test."}, point]
    assert body["messages"][0]["content"] == [{"text": "Hello"}, point]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (
            {"reasoningConfig": {"type": "enabled", "budgetTokens": 4000}},
            {"thinking": {"type": "enabled", "budget_tokens": 4000}},
        ),
        (
            {"reasoningConfig": {"type": "adaptive", "maxReasoningEffort": "high"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        (
            {"reasoningConfig": {"type": "adaptive", "maxReasoningEffort": "max", "display": "summarized"}},
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max"}},
        ),
        (
            {"reasoningConfig": {"maxReasoningEffort": "low"}},
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        ),
    ],
)
async def test_thinking_is_asked_for_as_the_models_want_it(bedrock: WireUnderTest, option: Any, expected: Any) -> None:
    body = await sent(bedrock, options=option, temperature=1.0, tool_choice="required")
    assert body["additionalModelRequestFields"] == expected
    assert "temperature" not in body["inferenceConfig"]


async def test_thoughts_that_only_the_provider_can_read_come_back(bedrock: WireUnderTest) -> None:
    bedrock.server.push(turn(Redacted("b3BhcXVl"), "x"))
    end = next(event for event in await bedrock.ask() if isinstance(event, ReasoningEnd))
    said = AssistantTurn(content=[ReasoningContent(text="", metadata=end.metadata)])
    body = await sent(bedrock, messages=[said])
    assert body["messages"][0]["content"] == [{"reasoningContent": {"redactedContent": "b3BhcXVl"}}]


async def test_cached_tokens_count_as_input(bedrock: WireUnderTest) -> None:
    bedrock.server.push(turn("x", tokens=Tokens(input=500, output=50, cached=100, cache_write=40)))
    end = (await bedrock.ask())[-1]
    assert isinstance(end, StepFinish)
    assert end.usage == Usage(input=540, output=50, cache_read=100, cache_write=40, total=590)


async def test_arguments_come_in_pieces_and_faults_are_kept(bedrock: WireUnderTest) -> None:
    bedrock.server.push(turn(Call("read", {"n": 1}, id="a", chunks=3), Call("read", raw="{oops", id="b")))
    calls = [event for event in await bedrock.ask() if isinstance(event, ToolCall)]
    assert [(call.call_id, call.input, call.fault is None) for call in calls] == [
        ("a", {"n": 1}, True),
        ("b", "{oops", False),
    ]


@pytest.mark.parametrize(
    ("kind", "again"),
    [("throttlingException", True), ("modelStreamErrorException", True), ("validationException", False)],
)
async def test_exceptions_in_the_stream_end_the_answer(bedrock: WireUnderTest, kind: str, again: bool) -> None:
    bedrock.server.push(turn("Half", StreamError("too bad", type=kind)))
    error = await failure(bedrock)
    assert isinstance(error, ApiCallFailed) and (error.message, error.is_retryable) == ("too bad", again)


async def test_a_long_prompt_is_a_context_overflow(bedrock: WireUnderTest) -> None:
    bedrock.server.push(turn(Fail(400, body={"message": "Input is too long for requested model."})))
    assert isinstance(await failure(bedrock), ContextOverflow)
    bedrock.server.push(turn(StreamError("prompt is too long", type="validationException")))
    assert isinstance(await failure(bedrock), ContextOverflow)


@pytest.mark.parametrize("clean", [True, False])
async def test_a_cut_stream_is_never_taken_for_an_answer(bedrock: WireUnderTest, clean: bool) -> None:
    bedrock.server.push(turn("Half an ans", Cut(clean=clean)))
    error = await failure(bedrock)
    assert isinstance(error, ApiCallFailed) and error.is_retryable


async def test_a_damaged_frame_is_a_fault(bedrock: WireUnderTest) -> None:
    frame = bytearray(amazon_frame({":message-type": "event", ":event-type": "metadata"}, {"usage": {}}))
    frame[-1] ^= 0xFF
    bedrock.server.push(turn(Raw(bytes(frame))))
    error = await failure(bedrock)
    assert isinstance(error, StreamFault) and "damaged" in error.message


async def test_unknown_events_are_passed_over(bedrock: WireUnderTest) -> None:
    odd = amazon_frame({":message-type": "event", ":event-type": "somethingNew"}, {"x": 1})
    bedrock.server.push(turn("a", Raw(odd), "b"))
    assert isinstance((await bedrock.ask())[-1], StepFinish)


@pytest.mark.parametrize(
    ("model", "region", "expected"),
    [
        ("anthropic.claude-x", "us-east-1", "us.anthropic.claude-x"),
        ("anthropic.claude-x", "us-gov-west-1", "anthropic.claude-x"),
        ("anthropic.claude-x", "eu-west-1", "eu.anthropic.claude-x"),
        ("anthropic.claude-sonnet-4-5", "ap-southeast-2", "au.anthropic.claude-sonnet-4-5"),
        ("amazon.nova-lite-v1", "ap-southeast-2", "apac.amazon.nova-lite-v1"),
        ("anthropic.claude-x", "ap-northeast-1", "jp.anthropic.claude-x"),
        ("amazon.nova-pro-v1", "ap-south-1", "apac.amazon.nova-pro-v1"),
        ("meta.llama3", "us-east-1", "meta.llama3"),
        ("meta.llama3", "eu-west-1", "eu.meta.llama3"),
        ("global.anthropic.claude-x", "eu-west-1", "global.anthropic.claude-x"),
        ("anthropic.claude-x", "sa-east-1", "anthropic.claude-x"),
        ("arn:aws:bedrock:us-east-1:1:claude", "us-east-1", "arn:aws:bedrock:us-east-1:1:claude"),
    ],
)
def test_models_are_reached_through_the_profile_of_their_region(model: str, region: str, expected: str) -> None:
    assert model_in_region(model, region) == expected
