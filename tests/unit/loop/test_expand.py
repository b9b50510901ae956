"""Parts of a prompt as they are stored."""

import base64
from pathlib import Path
from typing import Any

import pytest

from opencode.core.clock import SystemClock
from opencode.core.errors import Invalid
from opencode.core.ids import IdGenerator, PartID
from opencode.loop.expand import PartExpander
from opencode.session.schema import (
    AgentPart,
    AgentPartInput,
    FilePart,
    FilePartInput,
    Part,
    PartInput,
    TextPart,
    TextPartInput,
    UserMessage,
)
from opencode.tool.tool import ToolError, ToolResult
from tests.support.records import user_message

MESSAGE = user_message("ses_1", "msg_1")


async def read_file(message: UserMessage, arguments: dict[str, object]) -> ToolResult:
    """Stands in for the read tool."""
    if "gone" in str(arguments["filePath"]):
        raise ToolError("File not found")
    wanted = {name: value for name, value in arguments.items() if name != "filePath"}
    return ToolResult(title="x", output=f"read {wanted}", metadata={})


async def expand(*parts: PartInput) -> list[Part]:
    return await PartExpander(IdGenerator(SystemClock()), read_file).expand(MESSAGE, list(parts))


def file(url: str, mime: str = "text/plain", **more: Any) -> FilePartInput:
    return FilePartInput(url=url, mime=mime, **more)


def shown(parts: list[Part]) -> list[str]:
    return [part.text if isinstance(part, TextPart) else "file" for part in parts]


async def test_ids_ascend_and_a_clients_own_stay() -> None:
    mine = PartID("prt_zzz")
    parts = await expand(TextPartInput(text="a"), TextPartInput(text="b", id=mine), TextPartInput(text="c"))
    assert parts[1].id == mine
    assert parts[0].id < parts[1].id < parts[2].id
    assert {(part.session_id, part.message_id) for part in parts} == {("ses_1", "msg_1")}


async def test_a_named_agent_becomes_a_hint_to_call_it() -> None:
    agent, hint = await expand(AgentPartInput(name="explore"))
    assert isinstance(agent, AgentPart) and isinstance(hint, TextPart)
    assert (hint.synthetic, hint.text.endswith("subagent: explore")) == (True, True)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "{}"),
        ("?start=2&end=3", "{'offset': 2, 'limit': 2}"),
        ("?start=4", "{'offset': 4}"),
        ("?start=0&end=1", "{'offset': 1, 'limit': 1}"),
        ("?start=x&end=3", "{}"),
    ],
)
async def test_a_text_file_is_read_into_the_prompt(tmp_path: Path, query: str, wanted: str) -> None:
    path = tmp_path / "a b.txt"
    path.write_text("x")
    call, output, part = await expand(file(f"{path.as_uri()}{query}"))
    assert isinstance(call, TextPart) and isinstance(part, FilePart)
    assert (call.synthetic, str(path) in call.text) == (True, True)
    assert shown([output]) == [f"read {wanted}"]


async def test_a_directory_is_read_as_one_whatever_it_is_called(tmp_path: Path) -> None:
    part = (await expand(file(tmp_path.as_uri())))[-1]
    assert isinstance(part, FilePart)
    assert part.mime == "application/x-directory"


async def test_other_files_travel_inside_the_message(tmp_path: Path) -> None:
    path = tmp_path / "pixel.png"
    path.write_bytes(b"\x89PNG")
    part = (await expand(file(path.as_uri(), "image/png")))[-1]
    assert isinstance(part, FilePart)
    assert part.url == "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


@pytest.mark.parametrize("mime", ["text/plain", "image/png"])
async def test_a_file_that_cannot_be_read_is_a_note_and_loses_nothing(mime: str) -> None:
    parts = await expand(TextPartInput(text="look"), file("file:///nowhere/gone.txt", mime))
    assert shown(parts)[0] == "look"
    assert "could not be read" in shown(parts)[-1]


@pytest.mark.parametrize("url", ["data:text/plain;base64,aGVsbG8=", "data:text/plain,hello", "data:,hel%6Co"])
async def test_text_in_a_data_url_is_shown_as_if_it_had_been_read(url: str) -> None:
    assert shown(await expand(file(url, filename="note.txt")))[1:] == ["hello", "file"]


@pytest.mark.parametrize("url", ["data:text/plain;base64,a", "http://[broken"])
async def test_a_url_that_cannot_be_understood_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        await expand(file(url))


async def test_urls_of_the_web_are_passed_on() -> None:
    assert shown(await expand(file("https://example.com/x.png", "image/png"))) == ["file"]
