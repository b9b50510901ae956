from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.model_messages import CLEARED_OUTPUT, INTERRUPTED, ConversionOptions, to_model_messages
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi
from opencode.session.schema import (
    APIError,
    APIErrorData,
    AssistantMessage,
    CompactionPart,
    CreatedTime,
    FilePart,
    MessageAbortedError,
    MessageError,
    MessagePath,
    MessageText,
    MessageTime,
    MessageWithParts,
    Part,
    PartTime,
    PatchPart,
    PromptModel,
    ReasoningPart,
    SpanTime,
    StartTime,
    StepStartPart,
    SubtaskPart,
    TextPart,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    ToolTime,
    UserMessage,
)

SESSION, MESSAGE, PART = SessionID("ses_1"), MessageID("msg_1"), PartID("prt_1")
IDS: dict[str, Any] = {"id": PART, "session_id": SESSION, "message_id": MESSAGE}
PIXEL = "data:image/png;base64,aGk="
PDF = "data:application/pdf;base64,aGk="


def model(npm: str = "@ai-sdk/openai-compatible", name: str = "m1", provider: str = "scripted", **can: bool) -> Model:
    return Model(
        id=ModelID(name),
        provider_id=ProviderID(provider),
        name=name,
        api=ModelApi(id=name, url="", npm=npm),
        capabilities=Capabilities(
            temperature=True,
            reasoning=True,
            attachment=True,
            toolcall=True,
            input=Modalities(**{"text": True, "image": True, "pdf": True, **can}),
            output=Modalities(text=True),
            interleaved=False,
        ),
    )


M1 = model()
ANTHROPIC = model("@ai-sdk/anthropic", "claude-x", "anthropic")


def user(*parts: Part) -> MessageWithParts:
    info = UserMessage(
        id=MESSAGE,
        session_id=SESSION,
        time=CreatedTime(created=1),
        agent="build",
        model=PromptModel(provider_id=ProviderID("scripted"), model_id=ModelID("m1")),
    )
    return MessageWithParts(info=info, parts=list(parts))


def assistant(*parts: Part, by: Model = M1, error: MessageError | None = None) -> MessageWithParts:
    info = AssistantMessage(
        id=MESSAGE,
        session_id=SESSION,
        time=MessageTime(created=1),
        error=error or UNSET,
        parent_id=MESSAGE,
        model_id=by.id,
        provider_id=by.provider_id,
        mode="build",
        agent="build",
        path=MessagePath(cwd="/", root="/"),
    )
    return MessageWithParts(info=info, parts=list(parts))


def text(value: str, **more: Any) -> TextPart:
    return TextPart(**IDS, text=value, **more)


def reasoning(value: str, **more: Any) -> ReasoningPart:
    return ReasoningPart(**IDS, text=value, time=PartTime(start=1), **more)


def file(mime: str = "image/png", url: str = PIXEL, filename: str | None = None) -> FilePart:
    return FilePart(**IDS, mime=mime, url=url, filename=filename or UNSET)


def tool(state: ToolState, call_id: str = "call_1", **more: Any) -> ToolPart:
    return ToolPart(**IDS, call_id=call_id, tool="read", state=state, **more)


def completed(output: str = "alpha", *attachments: FilePart) -> ToolStateCompleted:
    return ToolStateCompleted(
        input={"filePath": "a"},
        output=output,
        title="a",
        metadata={},
        time=ToolTime(start=1, end=2),
        attachments=list(attachments) or UNSET,
    )


def failed(error: str, **metadata: Any) -> ToolStateError:
    return ToolStateError(input={}, error=error, metadata=metadata or UNSET, time=SpanTime(start=1, end=2))


def result_of(state: ToolState, by: Model = M1) -> ToolResultContent:
    turns = to_model_messages([assistant(tool(state), by=by)], by)
    assert isinstance(turns[1], ToolTurn)
    return turns[1].content[0]


STEP = StepStartPart(**IDS)


# --- user messages ----------------------------------------------------------------------------------------------


def test_a_user_message_keeps_its_texts_and_media_in_order() -> None:
    message = user(
        text("look at @a.py"),
        text("seen only by people", ignored=True),
        text("contents", synthetic=True),
        text(""),
        file("text/plain", "file:///a.py"),
        file("application/x-directory", "file:///src"),
        file(filename="pixel.png"),
    )
    assert to_model_messages([message], M1) == [
        UserTurn(
            content=[
                TextContent(text="look at @a.py"),
                TextContent(text="contents"),
                FileContent(mime="image/png", url=PIXEL, filename="pixel.png"),
            ]
        )
    ]


def test_markers_become_short_texts() -> None:
    marker = user(CompactionPart(**IDS, auto=True))
    subtask = user(SubtaskPart(**IDS, prompt="p", description="d", agent="general"))
    assert to_model_messages([marker, subtask], M1) == [
        UserTurn(content=[TextContent(text="What did we do so far?")]),
        UserTurn(content=[TextContent(text="The following tool was executed by the user")]),
    ]


def test_messages_with_nothing_to_say_are_left_out() -> None:
    history = [user(), user(text("x", ignored=True)), assistant(STEP), assistant(PatchPart(**IDS, hash="h", files=[]))]
    assert to_model_messages(history, M1) == []


def test_a_model_that_cannot_see_is_told_to_say_so() -> None:
    blind = model(image=False, pdf=False)
    turns = to_model_messages([user(file(filename="a.png"), file("application/pdf", PDF), file("audio/wav"))], blind)
    assert turns == [
        UserTurn(
            content=[
                TextContent(
                    text='ERROR: Cannot read "a.png" (this model does not support image input). Inform the user.'
                ),
                TextContent(text="ERROR: Cannot read pdf (this model does not support pdf input). Inform the user."),
                TextContent(
                    text="ERROR: Cannot read audio (this model does not support audio input). Inform the user."
                ),
            ]
        )
    ]


def test_an_image_without_data_is_called_corrupt() -> None:
    turns = to_model_messages([user(file(url="data:image/png;base64,"))], M1)
    assert turns == [UserTurn(content=[TextContent(text="ERROR: Image file is empty or corrupted. Inform the user.")])]


# --- assistant messages -----------------------------------------------------------------------------------------


def test_a_step_is_what_was_said_and_then_the_results() -> None:
    said = {"adapter": {"id": "1"}}
    message = assistant(
        STEP, reasoning("Hm.", metadata=said), text("Reading.", metadata=said), tool(completed(), metadata=said)
    )
    assert to_model_messages([message], M1) == [
        AssistantTurn(
            content=[
                ReasoningContent(text="Hm.", metadata=said),
                TextContent(text="Reading.", metadata=said),
                ToolCallContent(call_id="call_1", name="read", input={"filePath": "a"}, metadata=said),
            ]
        ),
        ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="alpha")]),
    ]


def test_each_step_of_a_message_is_a_turn_of_its_own() -> None:
    message = assistant(STEP, text("one"), tool(completed()), STEP, text("two"))
    kinds = [type(turn) for turn in to_model_messages([message], M1)]
    assert kinds == [AssistantTurn, ToolTurn, AssistantTurn]


def test_another_model_gets_thoughts_as_text_and_no_metadata() -> None:
    message = assistant(
        reasoning("Hm.", metadata={"a": {}}), reasoning(" \n"), text("Yes.", metadata={"a": {}}), by=ANTHROPIC
    )
    assert to_model_messages([message], M1) == [
        AssistantTurn(content=[TextContent(text="Hm."), TextContent(text="Yes.")])
    ]


def test_redacted_thoughts_are_replayed_although_they_have_no_text() -> None:
    hidden = reasoning("", metadata={"anthropic": {"redactedData": "x"}})
    turns = to_model_messages([assistant(hidden, reasoning(""), by=ANTHROPIC)], ANTHROPIC)
    assert turns == [AssistantTurn(content=[ReasoningContent(text="", metadata={"anthropic": {"redactedData": "x"}})])]


def test_empty_text_beside_signed_thoughts_keeps_its_place() -> None:
    signed = {"anthropic": {"signature": "s"}}
    turns = to_model_messages([assistant(reasoning("Hm.", metadata=signed), text(""), by=ANTHROPIC)], ANTHROPIC)
    assert turns == [AssistantTurn(content=[ReasoningContent(text="Hm.", metadata=signed), TextContent(text=" ")])]


def test_failed_messages_are_left_out() -> None:
    error = APIError(data=APIErrorData(message="boom", is_retryable=False))
    assert to_model_messages([assistant(text("half"), error=error)], M1) == []


def test_an_aborted_message_counts_if_it_said_something() -> None:
    error = MessageAbortedError(data=MessageText(message="Aborted"))
    history = [
        assistant(STEP, reasoning("Hm."), error=error),
        assistant(STEP, reasoning("Hm."), text("half"), error=error),
    ]
    assert to_model_messages(history, M1) == [
        AssistantTurn(content=[ReasoningContent(text="Hm."), TextContent(text="half")])
    ]


# --- results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "output", "is_error"),
    [
        (ToolStatePending(), INTERRUPTED, True),
        (ToolStateRunning(input={}, time=StartTime(start=1)), INTERRUPTED, True),
        (failed("no such file"), "no such file", True),
        (failed("aborted", interrupted=True, output="half"), "half", False),
        (failed("aborted", output="half"), "aborted", True),
        (replace(completed(), time=ToolTime(start=1, end=2, compacted=3)), CLEARED_OUTPUT, False),
        (completed("done"), "done", False),
    ],
)
def test_every_call_has_a_result(state: ToolState, output: str, is_error: bool) -> None:
    assert result_of(state) == ToolResultContent(call_id="call_1", name="read", output=output, is_error=is_error)


PARTS = st.lists(
    st.sampled_from([STEP, text("said"), text(""), reasoning("thought"), PatchPart(**IDS, hash="h", files=[])])
    | st.builds(
        tool,
        st.sampled_from([ToolStatePending(), failed("no"), completed("ok", file()), completed("ok")]),
        st.uuids().map(str),
    )
)
MODELS = st.sampled_from([M1, ANTHROPIC, model(provider="mistral"), model(image=False)])


@given(st.lists(PARTS, max_size=4), MODELS)
def test_whatever_happened_each_call_is_followed_by_its_one_result(history: list[list[Part]], by: Model) -> None:
    turns = to_model_messages([assistant(*parts) for parts in history], by)
    called: list[str] = []
    for turn in turns:
        if isinstance(turn, ToolTurn):
            assert [result.call_id for result in turn.content] == called
        else:
            assert called == []
        said = turn.content if isinstance(turn, AssistantTurn) else []
        called = [item.call_id for item in said if isinstance(item, ToolCallContent)]
    assert called == []
    results = sum(len(turn.content) for turn in turns if isinstance(turn, ToolTurn))
    assert results == sum(isinstance(part, ToolPart) for parts in history for part in parts)


def test_parallel_calls_have_their_results_in_order() -> None:
    turns = to_model_messages([assistant(tool(completed("1"), "a"), tool(completed("2"), "b"), text("after"))], M1)
    assert isinstance(turns[1], ToolTurn)
    assert [(result.call_id, result.output) for result in turns[1].content] == [("a", "1"), ("b", "2")]


def test_media_stay_in_the_result_where_the_wire_allows_it() -> None:
    result = result_of(completed("Image read", file(), file(url="https://example.com/a.png")), ANTHROPIC)
    assert result.files == [FileContent(mime="image/png", url=PIXEL)]


def test_media_are_shown_by_the_user_where_the_wire_does_not() -> None:
    turns = to_model_messages([assistant(tool(completed("Image read", file())), STEP, text("Seen."))], M1)
    assert turns[1:] == [
        ToolTurn(content=[ToolResultContent(call_id="call_1", name="read", output="Image read")]),
        AssistantTurn(content=[TextContent(text="Seen.")]),
        UserTurn(
            content=[TextContent(text="Attached media from tool result:"), FileContent(mime="image/png", url=PIXEL)]
        ),
    ]


@pytest.mark.parametrize(
    ("npm", "name", "mime", "stays"),
    [
        ("@ai-sdk/openai", "gpt-5", "application/pdf", True),
        ("@ai-sdk/amazon-bedrock", "anthropic.claude", "image/png", True),
        ("@ai-sdk/amazon-bedrock", "anthropic.claude", "application/pdf", False),
        ("@ai-sdk/amazon-bedrock", "titan", "image/png", False),
        ("@ai-sdk/xai", "grok", "image/png", True),
        ("@ai-sdk/xai", "grok", "application/pdf", False),
        ("@ai-sdk/google", "gemini-3-pro", "image/png", True),
        ("@ai-sdk/google", "gemini-2.5-pro", "image/png", False),
        ("@ai-sdk/mistral", "pixtral", "image/png", False),
    ],
)
def test_which_wires_take_media_in_results(npm: str, name: str, mime: str, stays: bool) -> None:
    by = model(npm, name)
    result = result_of(completed("ok", file(mime, f"data:{mime};base64,aGk=")), by)
    assert bool(result.files) is stays


def test_a_result_says_which_of_its_media_the_model_cannot_read() -> None:
    result = result_of(completed("ok", file()), model("@ai-sdk/anthropic", "claude-x", image=False))
    assert result.files == []
    assert result.output.startswith("ok\nERROR: Cannot read image")


def test_stripping_media_leaves_a_line_of_text() -> None:
    history = [user(file(filename="a.png")), assistant(tool(completed("ok", file())))]
    turns = to_model_messages(history, M1, ConversionOptions(strip_media=True))
    assert turns[0] == UserTurn(content=[TextContent(text="[Attached image/png: a.png]")])
    assert len(turns) == 3


def test_long_outputs_are_cut_when_asked() -> None:
    turns = to_model_messages([assistant(tool(completed("abcdef")))], M1, ConversionOptions(tool_output_max_chars=4))
    assert isinstance(turns[1], ToolTurn)
    assert turns[1].content[0].output == "abcd\n[2 characters omitted]"


# --- families ---------------------------------------------------------------------------------------------------


def call_ids(by: Model, *ids: str) -> list[tuple[str, str]]:
    said, results = to_model_messages([assistant(*(tool(completed(), each) for each in ids))], by)
    assert isinstance(said, AssistantTurn)
    assert isinstance(results, ToolTurn)
    calls = [item.call_id for item in said.content if isinstance(item, ToolCallContent)]
    return list(zip(calls, [result.call_id for result in results.content], strict=True))


def test_claude_gets_call_ids_of_letters_digits_dashes_and_underscores() -> None:
    assert call_ids(ANTHROPIC, "call|1.a", "ok-_1") == [("call_1_a", "call_1_a"), ("ok-_1", "ok-_1")]


def test_mistral_gets_call_ids_of_nine_letters_and_digits() -> None:
    assert call_ids(model(name="devstral-2"), "call_12", "fc:abcdefghij") == [
        ("call12000", "call12000"),
        ("fcabcdefg", "fcabcdefg"),
    ]


def test_call_ids_that_would_become_equal_stay_different() -> None:
    pairs = call_ids(model(provider="mistral"), "toolu_01ABCDEFG", "toolu_01ABxyz", "toolu_01ABCDEFG")
    (first, _), (second, answer), (again, _) = pairs
    assert first == again == "toolu01AB"
    assert second == answer != first
    assert len(second) == 9


def test_other_models_get_call_ids_as_they_are() -> None:
    assert call_ids(M1, "call|1") == [("call|1", "call|1")]


def test_mistral_hears_a_word_of_the_assistant_between_results_and_the_user() -> None:
    turns = to_model_messages([assistant(tool(completed())), user(text("go on"))], model(provider="mistral"))
    assert turns[2:] == [
        AssistantTurn(content=[TextContent(text="Done.")]),
        UserTurn(content=[TextContent(text="go on")]),
    ]
