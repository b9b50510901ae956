"""Files in prompts, from the body of the request to what the model is sent (golden trace ``parts_files``)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import SessionErrored
from tests.support.scripted_model.script import Call, turn
from tests.wire.delegating import Json, Script, scripted

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SOURCE = {"type": "file", "path": "hello.txt", "text": {"value": "@hello.txt", "start": 0, "end": 10}}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def file(path: Path | str, mime: str = "text/plain", query: str = "", **more: Any) -> Json:
    url = f"{path.as_uri()}{query}" if isinstance(path, Path) else path
    return {"type": "file", "mime": mime, "url": url, "filename": "a name", **more}


async def stored(script: Script, *parts: Json) -> list[Json]:
    """The parts of a prompt that is not answered, without their ids."""
    answer = await script.prompt(await script.session(), *parts, noReply=True)
    hidden = ("id", "sessionID", "messageID")
    return [{name: value for name, value in part.items() if name not in hidden} for part in answer["parts"]]


def called(path: Path, more: str = "") -> Json:
    text = f'Called the Read tool with the following input: {{"filePath":"{path}"{more}}}'
    return {"type": "text", "synthetic": True, "text": text}


def shown(parts: list[Json]) -> str:
    """What was read."""
    return str(parts[1]["text"])


async def test_a_text_file_is_read_and_stays_in_the_prompt(script: Script, project: Path) -> None:
    path = project / "hello.txt"
    parts = await stored(script, file(path, source=SOURCE))
    assert parts[0] == called(path)
    assert "1: hello\n" in shown(parts)
    assert parts[2] == file(path, source=SOURCE)


async def test_lines_of_a_file_are_read_where_the_url_names_them(script: Script, project: Path) -> None:
    path = project / "lines.txt"
    path.write_text("".join(f"line {n}\n" for n in range(1, 10)))
    parts = await stored(script, file(path, query="?start=3&end=4"))
    assert parts[0] == called(path, ',"offset":3,"limit":2')
    assert "3: line 3\n4: line 4\n" in shown(parts)
    assert "5: line 5" not in shown(parts)


async def test_a_directory_is_listed(script: Script, project: Path) -> None:
    (project / "more").mkdir()
    (project / "more" / "a.txt").write_text("a")
    parts = await stored(script, file(project / "more"))
    assert (parts[2]["mime"], "a.txt" in shown(parts)) == ("application/x-directory", True)


async def test_text_that_is_not_utf_8_is_read_as_far_as_it_goes(script: Script, project: Path) -> None:
    path = project / "latin.txt"
    path.write_bytes("café crème\n".encode("latin-1"))
    assert "1: caf\ufffd cr\ufffdme\n" in shown(await stored(script, file(path)))


async def test_a_long_file_is_cut_and_says_so(script: Script, project: Path) -> None:
    path = project / "long.txt"
    path.write_text("x" * 70 + "\n" + "y\n" * 100_000)
    text = shown(await stored(script, file(path)))
    assert len(text) < 60_000
    assert "Use offset=" in text


@pytest.mark.parametrize(
    ("name", "mime", "data"), [("a.png", "image/png", PNG), ("a.pdf", "application/pdf", b"%PDF-1.4")]
)
async def test_media_travel_inside_the_message(
    script: Script, project: Path, name: str, mime: str, data: bytes
) -> None:
    path = project / name
    path.write_bytes(data)
    url = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    assert await stored(script, file(path, mime)) == [called(path), file(url, mime)]


async def test_an_image_that_is_called_text_is_shown_as_what_it_is(script: Script, project: Path) -> None:
    path = project / "a.png"
    path.write_bytes(PNG)
    picture = (await stored(script, file(path)))[2]
    assert (picture["mime"], picture["url"][:22]) == ("image/png", "data:image/png;base64,")


@pytest.mark.parametrize(
    "url",
    [
        "data:text/plain;base64,aGVsbG8gbm90ZQ==",
        "data:text/plain,hello%20note",
        "data:text/plain;charset=utf-8,hello note",
    ],
)
async def test_text_in_the_url_is_read(script: Script, url: str) -> None:
    parts = await stored(script, file(url))
    assert (shown(parts), parts[2]) == ("hello note", file(url))


@pytest.mark.parametrize("mime", ["text/plain", "image/png"])
async def test_a_missing_file_is_told_and_the_prompt_stands(script: Script, project: Path, mime: str) -> None:
    path = project / "gone.txt"
    parts = await stored(script, {"type": "text", "text": "Look"}, file(path, mime))
    assert [part["text"] for part in parts[:2]] == ["Look", called(path)["text"]]
    assert parts[2]["text"].startswith(f"The file {path} could not be read: ")
    [told] = script.heard(SessionErrored)
    assert str(path) in told.error.data.message  # type: ignore[union-attr]


async def test_a_resource_without_its_server_is_a_note(script: Script) -> None:
    span = {"value": "@guide", "start": 0, "end": 6}
    source = {"type": "resource", "clientName": "docs", "uri": "docs://guide", "text": span}
    [_, note] = await stored(script, file("docs://guide", source=source))
    assert note["text"] == 'The MCP resource a name could not be read: no MCP server "docs" is connected'


@pytest.mark.parametrize("url", ["file:hello.txt", "http://[broken", "data:text/plain;base64,a"])
async def test_a_url_that_means_nothing_is_refused_and_nothing_is_stored(script: Script, url: str) -> None:
    session = await script.session()
    refused = await script.post(session, "message", {"parts": [file(url)]}, status=400)
    assert refused["name"] == "BadRequest"
    assert await script.messages(session) == []


# --- what the model is sent -----------------------------------------------------------------------------------------


async def sent(script: Script, *parts: Json) -> list[Json]:
    script.model.push("I see.")
    await script.prompt(await script.session(), *parts)
    return script.model.turns[-1].body["messages"][-1]["content"]  # type: ignore[no-any-return]


async def test_a_model_that_cannot_see_is_told_of_the_picture(script: Script) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    blocks = await sent(script, {"type": "text", "text": "Look"}, file(url, "image/png"))
    assert blocks[0]["text"] == "Look"
    assert blocks[1]["text"].startswith('ERROR: Cannot read "a name" (this model does not support image input)')


async def test_text_of_another_type_is_shown_and_the_session_goes_on(script: Script, project: Path) -> None:
    path = project / "package.json"
    path.write_text('{"name":"x"}')
    blocks = await sent(script, file(path, "application/json"))
    assert blocks[-1] == {"type": "text", "text": 'Contents of "a name" (application/json):\n{"name":"x"}'}


async def test_what_no_model_takes_is_named(script: Script, project: Path) -> None:
    path = project / "a.zip"
    path.write_bytes(b"PK\x03\x04\x00\x00")
    blocks = await sent(script, file(path, "application/zip"))
    assert blocks[-1]["text"] == 'ERROR: Cannot read "a name" (no model takes application/zip files). Inform the user.'


async def test_a_file_that_the_prompt_showed_can_be_changed_at_once(script: Script, project: Path) -> None:
    path = project / "package.json"
    path.write_text('{"name":"x"}')
    edit = {"filePath": str(path), "oldString": "x", "newString": "y"}
    script.model.push(turn(Call("edit", edit)), "Done.")
    session = await script.session()
    await script.prompt(session, file(path, "application/json"))
    [state] = await script.calls(session)
    assert (state["status"], path.read_text()) == ("completed", '{"name":"y"}')
