"""One tool-using turn over every wire: what the model thought goes back to it unchanged with the second request."""

import json
from typing import Any

import pytest

from opencode.provider.request import (
    AssistantTurn,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.stream import ReasoningDelta, ReasoningEnd, StepFinish, StreamEvent, TextDelta, ToolCall
from tests.support.scripted_model.script import Call, Reasoning, turn
from tests.support.wires import (
    ANTHROPIC,
    AZURE,
    BEDROCK,
    CHAT,
    GOOGLE,
    RESPONSES,
    VERTEX,
    VERTEX_ANTHROPIC,
    WireUnderTest,
    text_of,
    wire_under_test,
)

TOOL = ToolDefinition(
    name="read",
    description="Reads a file.",
    parameters={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
HELLO = UserTurn(content=[TextContent(text="Read it")])
RESULT = ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="the content")])

MANTLE = "@ai-sdk/amazon-bedrock/mantle"
THOUGHT = "Let me look."
SEALED = {
    RESPONSES: {
        "type": "reasoning",
        "encrypted_content": "c2Vh",
        "summary": [{"type": "summary_text", "text": THOUGHT}],
    },
    ANTHROPIC: {"type": "thinking", "thinking": THOUGHT, "signature": "c2Vh"},
    GOOGLE: {"text": THOUGHT, "thought": True, "thoughtSignature": "c2Vh"},
    BEDROCK: {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "c2Vh"}}},
}
SEALED |= {
    AZURE: SEALED[RESPONSES],
    MANTLE: SEALED[RESPONSES],
    VERTEX: SEALED[GOOGLE],
    VERTEX_ANTHROPIC: SEALED[ANTHROPIC],
}
"""What each wire has to say of the thought in the second request; Chat Completions has no seal."""
UNSEALED = {
    CHAT: {"reasoning_content": THOUGHT},
    "ai-gateway-provider": {"reasoning_content": THOUGHT},
    "@ai-sdk/github-copilot": {"reasoning_content": THOUGHT},
    "@ai-sdk/groq": {"reasoning": THOUGHT},
}
REPLAYED = {**UNSEALED, **SEALED}


@pytest.fixture(params=REPLAYED)
async def any_wire(request: pytest.FixtureRequest) -> Any:
    """Every wire there is, in turn."""
    options = {"project": "p", "resourceName": "r", "location": "global"}
    headers = {"authorization": "Bearer of-the-user"} if request.param == VERTEX_ANTHROPIC else {}
    async with wire_under_test(request.param, options=options, headers=headers) as opened:
        yield opened


def replayed(events: list[StreamEvent]) -> AssistantTurn:
    """What the model said, as the next request has it."""
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    sealed = [event.metadata for event in events if isinstance(event, ReasoningEnd)]
    calls = [event for event in events if isinstance(event, ToolCall)]
    return AssistantTurn(
        content=[
            *(ReasoningContent(text=thought, metadata=metadata) for metadata in sealed),
            TextContent(text=text_of(events)),
            *(
                ToolCallContent(call_id=call.call_id, name=call.name, input=call.input, metadata=call.metadata)
                for call in calls
            ),
        ]
    )


async def test_a_tool_using_turn_replays_its_reasoning_byte_for_byte(any_wire: WireUnderTest) -> None:
    script = turn(Reasoning(THOUGHT, chunks=3, seal="c2Vh"), "I read it.", Call("read", {"path": "/a"}, id="call_1"))
    any_wire.server.push(script, turn("Done."))
    first = await any_wire.ask(any_wire.request(messages=[HELLO], tools=[TOOL]))
    said = replayed(first)
    assert [(call.name, call.input) for call in first if isinstance(call, ToolCall)] == [("read", {"path": "/a"})]
    assert isinstance(first[-1], StepFinish) and first[-1].reason == "tool-calls"
    second = await any_wire.ask(any_wire.request(messages=[HELLO, said, RESULT], tools=[TOOL]))
    assert text_of(second) == "Done."
    sent = json.dumps(any_wire.server.requests[1].body, separators=(",", ":"))
    assert "the content" in sent
    expected = json.dumps(REPLAYED[any_wire.npm], separators=(",", ":"))
    assert expected.strip("{}") in sent, sent


async def test_a_tool_using_turn_counts_and_stops_the_same_over_every_wire(any_wire: WireUnderTest) -> None:
    any_wire.server.push(turn("a", "b"))
    events = await any_wire.ask(any_wire.request(tools=[TOOL]))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "b"]
    end = events[-1]
    assert isinstance(end, StepFinish)
    assert (end.reason, end.usage.input, end.usage.output, end.usage.total) == ("stop", 100, 10, 110)
