"""Repairs of a history before it is sent."""

from opencode.core.wire import replace
from opencode.provider.normalise import MEDIA_RESULTS_NOTE, normalised
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    TextContent,
    ToolCallContent,
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
