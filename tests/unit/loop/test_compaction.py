"""What is stored of a compaction: the summary's marker, the prompt that goes on, the prompt that is asked again."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import ModelID
from opencode.core.wire import UNSET
from opencode.provider.schema import ModelRef
from opencode.session.inputs import SummarizeInput
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    FilePartInput,
    MessageWithParts,
    OutputFormatJsonSchema,
    SessionCompacted,
    TextPart,
    UserMessage,
)
from tests.support.opened_instance import M1, Opened, open_instance_in, said
from tests.support.scripted_model.script import Call, Fail, Tokens, turn
from tests.support.scripted_model.server import RecordedRequest

SUMMARY = "## Goal\nTo say hello."
FULL = Tokens(input=95_000)
TOO_LONG = Fail(400, "This model's maximum context length is 100000 tokens.", code="context_length_exceeded")
PICTURE = FilePartInput(mime="image/png", filename="a.png", url="data:image/png;base64,iVBORw0KGgo=")
OBJECT = OutputFormatJsonSchema(schema={"type": "object", "properties": {"n": {"type": "number"}}})


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path) as opened:
            (opened.instance.directory / "hello.txt").write_text("hello\n")
            opened.model.push_for(is_summary, SUMMARY)
            opened.instance.events.subscribe_function(SessionCompacted, opened.told.append)
            yield opened


def is_summary(request: RecordedRequest) -> bool:
    return not request.is_title and "## Discoveries" in request.raw.decode()


def prompts(messages: list[MessageWithParts]) -> list[MessageWithParts]:
    return [message for message in messages if isinstance(message.info, UserMessage)]


def text_of(message: MessageWithParts) -> TextPart:
    [part] = message.parts
    assert isinstance(part, TextPart)
    return part


async def test_after_a_summary_of_the_servers_own_a_prompt_like_the_last_one_goes_on(opened: Opened) -> None:
    opened.model.push(turn(Call("read", {"filePath": "hello.txt"}), tokens=FULL), "I went on.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Long words", agent="plan", variant="high"))
    first, marker, goes_on = prompts(await opened.messages(session))
    assert isinstance(first.info, UserMessage)
    for message in (marker, goes_on):
        info = message.info
        assert isinstance(info, UserMessage)
        assert (info.agent, info.model, info.variant) == ("plan", first.info.model, first.info.variant)
    messages = await opened.messages(session)
    [summary] = [m.info for m in messages if isinstance(m.info, AssistantMessage) and m.info.summary is True]
    assert (summary.variant, summary.parent_id) == ("high", marker.info.id)
    part = text_of(goes_on)
    assert (part.synthetic, part.metadata) == (True, {"compaction_continue": True})
    assert goes_on.info.id > marker.info.id > first.info.id
    assert opened.heard(SessionCompacted) == [SessionCompacted(session_id=session)]


async def test_what_is_too_much_for_another_model_is_condensed_before_that_is_asked(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        models = {"big": {"name": "Big", "limit": {"context": 200_000, "output": 8_000}}}
        async with open_instance_in(tmp_path, models=models) as opened:
            opened.model.push_for(is_summary, SUMMARY)
            opened.model.push(turn("Much.", tokens=FULL), "Less.")
            session, big = await opened.session(), ModelRef(provider_id=M1.provider_id, model_id=ModelID("big"))
            await opened.prompts.prompt(session, said("Many words", model=big))
            await opened.prompts.prompt(session, said("Go on", model=M1))
            messages = await opened.messages(session)
    kinds = [m.info.summary if isinstance(m.info, AssistantMessage) else "prompt" for m in messages]
    assert kinds == ["prompt", UNSET, "prompt", "prompt", True, "prompt", UNSET]
    [marker] = [part for message in messages for part in message.parts if isinstance(part, CompactionPart)]
    assert (marker.auto, marker.overflow) == (True, False)


async def test_a_prompt_that_did_not_fit_is_asked_again_with_its_wishes_and_its_media_as_words(opened: Opened) -> None:
    opened.model.push("Before.", turn(TOO_LONG), turn(Call("StructuredOutput", {"n": 1})))
    session = await opened.session()
    await opened.prompts.prompt(session, said("Earlier words"))
    wishes = {"system": "Be short.", "tools": {"bash": False}, "format": OBJECT}
    await opened.prompts.prompt(session, said("Too many words", PICTURE, **wishes))
    *_, asked, marker, again = prompts(await opened.messages(session))
    assert isinstance(asked.info, UserMessage)
    assert isinstance(again.info, UserMessage)
    assert (again.info.system, again.info.tools) == ("Be short.", {"bash": False})
    assert again.info.format == asked.info.format != UNSET
    texts = [part.text for part in again.parts if isinstance(part, TextPart)]
    assert texts == ["Too many words", "[Attached image/png: a.png]"]
    assert len(again.parts) == 2
    assert {part.id for part in again.parts}.isdisjoint(part.id for part in asked.parts)
    [part] = marker.parts
    assert isinstance(part, CompactionPart)
    assert (part.auto, part.overflow) == (True, True)
    # What is asked again is not summed up before.
    [summing_up] = [request for request in opened.model.turns if is_summary(request)]
    assert "Earlier words" in summing_up.raw.decode()
    assert "Too many words" not in summing_up.raw.decode()


async def test_a_prompt_whose_answer_fills_the_model_is_not_asked_again(opened: Opened) -> None:
    opened.model.push("Before.", turn(Call("read", {"filePath": "hello.txt"}), tokens=FULL), "I went on.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Earlier words"))
    await opened.prompts.prompt(session, said("Later words"))
    _, _, _, goes_on = prompts(await opened.messages(session))
    assert text_of(goes_on).synthetic is True


async def test_a_summary_on_demand_has_the_model_that_was_named_and_no_other_wishes(opened: Opened) -> None:
    opened.model.push("Before.", turn(Call("StructuredOutput", {"n": 1})))
    session = await opened.session()
    await opened.prompts.prompt(session, said("Earlier words"))
    await opened.prompts.prompt(session, said("An object, please", format=OBJECT, variant="high"))
    await opened.prompts.summarize(session, SummarizeInput(provider_id=M1.provider_id, model_id=M1.model_id))
    *_, marker, summary = await opened.messages(session)
    assert isinstance(marker.info, UserMessage)
    assert (marker.info.format, marker.info.model.variant, marker.info.model.model_id) == (UNSET, UNSET, "m1")
    assert isinstance(summary.info, AssistantMessage)
    assert summary.info.variant is UNSET


async def test_a_second_summary_brings_the_first_up_to_date_and_is_not_told_the_rest_again(opened: Opened) -> None:
    opened.model.push_for(is_summary, "The second.")
    session = await opened.session()
    wanted = SummarizeInput(provider_id=M1.provider_id, model_id=M1.model_id)
    for text in ("First words", "Second words"):
        await opened.prompts.prompt(session, said(text))
        await opened.prompts.summarize(session, wanted)
    second = [request for request in opened.model.turns if is_summary(request)][1].raw.decode()
    assert "An earlier summary, to be brought up to date:" in second
    assert "To say hello." in second
    assert "Second words" in second
    assert "First words" not in second


@pytest.mark.parametrize(("config", "condensed"), [({}, True), ({"auto": True}, True), ({"auto": False}, False)])
async def test_whether_histories_are_condensed_unasked_is_configured(
    tmp_path: Path, config: dict[str, bool], condensed: bool
) -> None:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path, compaction=config) as opened:
            opened.model.push_for(is_summary, SUMMARY)
            opened.model.push(turn(Call("glob", {"pattern": "*"}), tokens=FULL), "I went on.")
            session = await opened.session()
            await opened.prompts.prompt(session, said("Long words"))
            assert any(is_summary(request) for request in opened.model.turns) is condensed
