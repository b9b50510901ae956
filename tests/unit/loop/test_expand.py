"""Parts of a prompt as they are stored."""

import base64
from pathlib import Path
from typing import Any

import pytest

from opencode.core.clock import SystemClock
from opencode.core.errors import Invalid
from opencode.core.ids import IdGenerator, PartID
from opencode.loop.expand import PartExpander
from opencode.loop.file_parts import LARGEST_ATTACHMENT, FileParts
from opencode.loop.resource_parts import LARGEST_BLOB, ResourceBlob, ResourceContent, ResourceParts, ResourceText
from opencode.permission.schema import PermissionRule
from opencode.session.schema import (
    AgentPart,
    AgentPartInput,
    FilePart,
    FilePartInput,
    FilePartSourceText,
    Part,
    PartInput,
    ResourceSource,
    TextPart,
    TextPartInput,
    UserMessage,
)
from opencode.tool.images import ImageLimits
from opencode.tool.tool import Attachment, ToolError, ToolResult
from tests.support.pictures import data_url, picture, png_of_size, size_of
from tests.support.records import user_message

MESSAGE = user_message("ses_1", "msg_1")


async def read_file(message: UserMessage, arguments: dict[str, object]) -> ToolResult:
    """Stands in for the read tool."""
    if "gone" in str(arguments["filePath"]):
        raise ToolError("File not found")
    wanted = {name: value for name, value in arguments.items() if name != "filePath"}
    return ToolResult(title="x", output=f"read {wanted}", metadata={})


class Faults:
    """What clients are told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def report(self, message: UserMessage, problem: str) -> None:
        self.told.append(problem)


async def symbol_lines(path: Path, line: int) -> tuple[int, int] | None:
    """Stands in for a language server that knows one symbol."""
    return (7, 12) if line == 7 else None


async def read_resource(server: str, uri: str) -> list[ResourceContent]:
    """Stands in for MCP servers."""
    if server != "docs":
        raise ToolError("not connected")
    return [
        ResourceText(f"text of {uri}"),
        ResourceBlob("image/png", "aGk="),
        ResourceBlob("application/zip", "aGk="),
        ResourceBlob("image/png", "a" * (LARGEST_BLOB * 4 // 3 + 8)),
    ]


async def expand(*parts: PartInput, faults: Faults | None = None) -> list[Part]:
    files = FileParts(read_file, lambda *_: None, (faults or Faults()).report, symbol_lines)
    return await PartExpander(IdGenerator(SystemClock()), files, ResourceParts(read_resource)).expand(
        MESSAGE, list(parts)
    )


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


@pytest.mark.parametrize(
    ("permission", "action", "is_said"),
    [("task", "deny", True), ("task", "ask", False), ("task", "allow", False), ("edit", "deny", False)],
)
async def test_an_agent_that_the_model_is_not_told_of_is_said_to_exist(
    permission: str, action: Any, is_said: bool
) -> None:
    rule = PermissionRule(permission=permission, pattern="*", action=action)
    files = FileParts(read_file, lambda *_: None, Faults().report, symbol_lines)
    expander = PartExpander(IdGenerator(SystemClock()), files, ResourceParts(read_resource))
    _, hint = await expander.expand(MESSAGE, [AgentPartInput(name="explore")], [rule])
    assert isinstance(hint, TextPart)
    assert ("although it is not listed" in hint.text) is is_said


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
        ("?end=3", "{}"),
        ("?start=7&end=7", "{'offset': 7, 'limit': 6}"),
        ("?start=8&end=8", "{'offset': 8, 'limit': 1}"),
    ],
)
async def test_a_text_file_is_read_into_the_prompt(tmp_path: Path, query: str, wanted: str) -> None:
    path = tmp_path / "a b.txt"
    path.write_text("x")
    call, output, part = await expand(file(f"{path.as_uri()}{query}"))
    assert isinstance(call, TextPart) and isinstance(part, FilePart)
    assert (call.synthetic, str(path) in call.text) == (True, True)
    assert shown([output]) == [f"read {wanted}"]


@pytest.mark.parametrize(("given", "name"), [("shown.png", "shown.png"), (None, "a.txt")])
async def test_what_reading_a_file_gives_to_look_at_stands_in_its_place(
    tmp_path: Path, given: str | None, name: str
) -> None:
    (tmp_path / "a.txt").write_text("x")

    async def read_picture(message: UserMessage, arguments: dict[str, object]) -> ToolResult:
        picture = Attachment(mime="image/png", url="data:image/png;base64,aGk=", filename=given)
        return ToolResult(title="x", output="Image read", attachments=[picture])

    files = FileParts(read_picture, lambda *_: None, Faults().report)
    expander = PartExpander(IdGenerator(SystemClock()), files, ResourceParts())
    parts = await expander.expand(MESSAGE, [file((tmp_path / "a.txt").as_uri(), filename="a.txt", id="prt_mine")])
    assert shown(parts)[1:] == ["Image read", "file"]
    assert isinstance(shows := parts[-1], FilePart)
    assert (shows.mime, shows.url, shows.filename) == ("image/png", "data:image/png;base64,aGk=", name)
    assert shows.id != "prt_mine"


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
    faults = Faults()
    parts = await expand(TextPartInput(text="look"), file("file:///nowhere/gone.txt?start=2", mime), faults=faults)
    assert shown(parts)[0] == "look"
    assert "could not be read" in shown(parts)[-1]
    [problem] = faults.told
    assert problem in shown(parts)[-1]


async def test_the_note_of_an_unreadable_range_says_what_was_wanted() -> None:
    [call, _] = await expand(file("file:///nowhere/gone.txt?start=2&end=4"))
    assert isinstance(call, TextPart)
    assert call.text.endswith('{"filePath":"/nowhere/gone.txt","offset":2,"limit":3}')


async def test_a_file_that_is_too_large_to_travel_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as sparse:
        sparse.truncate(LARGEST_ATTACHMENT + 1)
    assert "larger than 64 MiB" in shown(await expand(file(path.as_uri(), "application/zip")))[-1]


@pytest.mark.parametrize("url", ["data:text/plain;base64,aGVsbG8=", "data:text/plain,hello", "data:,hel%6Co"])
async def test_text_in_a_data_url_is_shown_as_if_it_had_been_read(url: str) -> None:
    call, *content = shown(await expand(file(url, filename="note.txt")))
    assert call == 'Called the Read tool with the following input: {"filePath":"note.txt"}'
    assert content == ["hello", "file"]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("data:text/plain;base64,a", "A file part holds a data URL that is not valid base64"),
        ("http://[broken", "A file part holds a URL that is not valid: Invalid IPv6 URL"),
        ("file:a.txt", "The URL of a file part must hold an absolute path: file:a.txt"),
        ("file://host", "The URL of a file part must hold an absolute path: file://host"),
    ],
)
async def test_a_url_that_cannot_be_understood_is_refused(url: str, problem: str) -> None:
    with pytest.raises(Invalid) as error:
        await expand(file(url))
    assert (error.value.message, error.value.data["field"]) == (problem, "parts")


async def test_urls_of_the_web_are_passed_on() -> None:
    assert shown(await expand(file("https://example.com/x.png", "image/png"))) == ["file"]


# --- resources ----------------------------------------------------------------------------------------------------


def resource(server: str) -> FilePartInput:
    span = FilePartSourceText(value="@guide", start=0, end=6)
    source = ResourceSource(text=span, client_name=server, uri="docs://guide")
    return file("docs://guide", filename="guide", source=source)


async def test_a_resource_is_read_into_the_prompt() -> None:
    parts = await expand(resource("docs"))
    assert shown(parts) == [
        "Reading MCP resource: guide (docs://guide)",
        "text of docs://guide",
        "[From guide: a file of type image/png]",
        "file",
        "[Left out of guide: files of type application/zip cannot be shown]",
        "[Left out of guide: larger than 10 MiB]",
    ]
    assert isinstance(picture := parts[3], FilePart)
    assert (picture.mime, picture.url, picture.filename) == ("image/png", "data:image/png;base64,aGk=", "guide")


async def test_a_resource_that_cannot_be_read_is_a_note() -> None:
    assert shown(await expand(resource("nobody")))[1:] == ["The MCP resource guide could not be read: not connected"]


async def test_without_servers_a_resource_is_a_note() -> None:
    files = FileParts(read_file, lambda *_: None, Faults().report)
    expander = PartExpander(IdGenerator(SystemClock()), files, ResourceParts())
    [_, note] = await expander.expand(MESSAGE, [resource("docs")])
    assert shown([note]) == ['The MCP resource guide could not be read: no MCP server "docs" is connected']


async def test_images_are_stored_as_small_as_models_take_them() -> None:
    files = FileParts(read_file, lambda *_: None, Faults().report)
    expander = PartExpander(IdGenerator(SystemClock()), files, ResourceParts(), ImageLimits(max_width=16))
    wide = file(data_url(picture(64, 32)), "image/png", filename="wide.png", id="prt_mine")
    huge = file(data_url(png_of_size(20_000, 20_000)), "image/png", filename="huge.png")
    small, note = await expander.expand(MESSAGE, [wide, huge])
    assert isinstance(small, FilePart)
    assert (small.id, small.filename, size_of(small.url)) == ("prt_mine", "wide.png", (16, 8))
    assert isinstance(note, TextPart)
    assert (note.synthetic, note.text) == (True, "The image huge.png was left out: it has too many pixels")
