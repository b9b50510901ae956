"""Repairs of a history before it is sent."""

from opencode.core.wire import replace
from opencode.provider.normalise import MEDIA_RESULTS_NOTE, normalised
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    TextContent,
    ToolCallContent,
    ToolDefinition,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Modalities
from tests.support.wires import ANTHROPIC, CHAT, model_of, request_of

IMAGE = FileContent(mime="image/png", url="data:image/png;base64,AAA", filename="a.png")


def result(call_id: str, *files: FileContent) -> ToolResultContent:
    return ToolResultContent(call_id=call_id, name="read", output="seen", files=list(files))


def test_what_the_model_cannot_read_becomes_a_text_that_says_so() -> None:
    model = model_of(CHAT)
    blind = replace(model, capabilities=replace(model.capabilities, input=Modalities(text=True)))
    [turn] = normalised(request_of(CHAT, model=blind, messages=[UserTurn(content=[IMAGE])])).messages
    assert isinstance(turn.content[0], TextContent)
    assert '"a.png"' in turn.content[0].text and "no image input" in turn.content[0].text


def test_an_empty_image_is_told_instead_of_sent() -> None:
    empty = replace(IMAGE, url="data:image/png;base64,")
    [turn] = normalised(request_of(CHAT, messages=[UserTurn(content=[empty])])).messages
    assert isinstance(turn.content[0], TextContent) and "empty or damaged" in turn.content[0].text


def test_media_of_results_moves_to_a_user_turn_where_results_take_none() -> None:
    request = request_of(CHAT, messages=[ToolTurn(content=[result("a", IMAGE), result("b")])])
    assert normalised(request).messages == [
        ToolTurn(content=[result("a"), result("b")]),
        UserTurn(content=[TextContent(text=MEDIA_RESULTS_NOTE), IMAGE]),
    ]


def test_media_of_results_stays_where_the_wire_takes_it() -> None:
    request = request_of(ANTHROPIC, messages=[ToolTurn(content=[result("a", IMAGE)])])
    assert normalised(request).messages == request.messages


def test_call_ids_are_spelled_as_claude_wants_them() -> None:
    messages = [
        AssistantTurn(content=[ToolCallContent(call_id="a.b:c", name="x", input={})]),
        ToolTurn(content=[result("a.b:c")]),
    ]
    call, answer = normalised(request_of(ANTHROPIC, messages=messages)).messages
    assert isinstance(call.content[0], ToolCallContent) and isinstance(answer.content[0], ToolResultContent)
    assert call.content[0].call_id == answer.content[0].call_id == "a_b_c"


def test_mistral_gets_ids_of_nine_and_an_assistant_between_result_and_user() -> None:
    messages = [
        AssistantTurn(content=[ToolCallContent(call_id="call_1", name="x", input={})]),
        ToolTurn(content=[result("call_1")]),
        UserTurn(content=[TextContent(text="go on")]),
    ]
    sent = normalised(request_of(CHAT, model=model_of(CHAT, id="devstral-small"), messages=messages)).messages
    assert [type(message).__name__ for message in sent] == ["AssistantTurn", "ToolTurn", "AssistantTurn", "UserTurn"]
    assert isinstance(sent[1].content[0], ToolResultContent) and sent[1].content[0].call_id == "call10000"


def test_calls_whose_ids_begin_alike_stay_apart_for_mistral() -> None:
    calls = ["toolu_01ABCDEF", "toolu_01ABXYZ", "toolu_01ABCDEF"]
    messages = [ToolTurn(content=[result(call) for call in calls])]
    [turn] = normalised(request_of(CHAT, model=model_of(CHAT, id="mistral-large"), messages=messages)).messages
    first, second, again = [block.call_id for block in turn.content if isinstance(block, ToolResultContent)]
    assert (first, again) == ("toolu01AB", "toolu01AB")
    assert second != first and len(second) == 9 and second.isalnum()


def test_media_of_a_result_that_the_model_cannot_read_is_told() -> None:
    model = model_of(ANTHROPIC)
    blind = replace(model, capabilities=replace(model.capabilities, input=Modalities(text=True)))
    [turn] = normalised(request_of(ANTHROPIC, model=blind, messages=[ToolTurn(content=[result("a", IMAGE)])])).messages
    [told] = turn.content
    assert isinstance(told, ToolResultContent) and told.files == []
    assert told.output.startswith("seen\n") and "no image input" in told.output


def test_gemini_behind_another_wire_gets_the_schemas_it_takes() -> None:
    tool = ToolDefinition(
        name="x", description="", parameters={"type": "object", "properties": {"n": {"type": "integer", "enum": [1]}}}
    )
    request = request_of(CHAT, model=model_of(CHAT, id="google/gemini-3-pro"), tools=[tool])
    [sent] = normalised(request).tools
    assert sent.parameters["properties"]["n"] == {"type": "string", "enum": ["1"]}
    assert normalised(request_of(CHAT, tools=[tool])).tools == [tool]
