"""The read tool: files, directories, attachments, limits."""

import base64
import os
from pathlib import Path

import pytest

from opencode.tool.tool import ToolContext, ToolError
from tests.support.file_bench import FileBench

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    bench = FileBench(tmp_path)
    bench.write("a.txt", "alpha\nbeta\ngamma\n")
    return bench


async def test_a_whole_file_comes_as_numbered_lines_with_its_end_noted(bench: FileBench) -> None:
    path = bench.directory / "a.txt"
    result = await bench.call("read", filePath=str(path))
    assert result.title == "a.txt"
    assert result.output == (
        f"<path>{path}</path>\n<type>file</type>\n<content>\n1: alpha\n2: beta\n3: gamma\n\n"
        "(End of file - total 3 lines)\n</content>"
    )
    assert result.metadata == {
        "preview": "alpha\nbeta\ngamma",
        "truncated": False,
        "loaded": [],
        "display": {
            "type": "file",
            "path": str(path),
            "text": "alpha\nbeta\ngamma",
            "lineStart": 1,
            "lineEnd": 3,
            "totalLines": 3,
            "truncated": False,
        },
    }
    assert bench.asks == [("read", ["a.txt"], {})]


async def test_a_range_says_how_to_continue(bench: FileBench) -> None:
    bench.write("src/main.py", "from util import shout\n\n\ndef main():\n    print(shout('hello'))\n")
    result = await bench.call("read", filePath="src/main.py", offset=2, limit=2)
    assert result.output.endswith(
        "<content>\n2: \n3: \n\n(Showing lines 2-3 of 5. Use offset=4 to continue.)\n</content>"
    )
    assert result.metadata["preview"] == "\n"
    assert result.metadata["display"]["lineStart"] == 2
    assert result.metadata["display"]["lineEnd"] == 3
    assert result.metadata["truncated"] is True


async def test_numbers_that_the_model_writes_as_strings_are_understood(bench: FileBench) -> None:
    result = await bench.call("read", filePath="a.txt", offset="2", limit="1")
    assert "\n2: beta\n" in result.output


async def test_offset_zero_is_the_first_line(bench: FileBench) -> None:
    assert "\n1: alpha\n" in (await bench.call("read", filePath="a.txt", offset=0)).output


async def test_an_offset_past_the_end_names_the_number_of_lines(bench: FileBench) -> None:
    with pytest.raises(ToolError, match=r"^Offset 50 is out of range for this file \(3 lines\)$"):
        await bench.call("read", filePath="a.txt", offset=50)


async def test_an_empty_file_has_no_lines(bench: FileBench) -> None:
    bench.write("empty.txt", "")
    result = await bench.call("read", filePath="empty.txt")
    assert result.output.endswith("<content>\n\n\n(End of file - total 0 lines)\n</content>")
    assert result.metadata["display"]["lineEnd"] == 0


async def test_a_last_line_without_line_end_counts(bench: FileBench) -> None:
    bench.write("b.txt", "one\r\ntwo")
    result = await bench.call("read", filePath="b.txt")
    assert result.metadata["display"]["text"] == "one\ntwo"
    assert result.metadata["display"]["totalLines"] == 2


async def test_a_long_line_is_cut_and_a_long_file_stops_at_two_thousand_lines(bench: FileBench) -> None:
    """Source: golden trace ``tools_read`` of 1.18.33, which gives the length of the text."""
    bench.write("long.txt", "".join(f"line {i} {'x' * (2500 if i == 3 else 5)}\n" for i in range(1, 2105)))
    result = await bench.call("read", filePath="long.txt")
    assert result.output.endswith(
        "\n2000: line 2000 xxxxx\n\n(Showing lines 1-2000 of 2104. Use offset=2001 to continue.)\n</content>"
    )
    assert len(result.metadata["display"]["text"]) == 32914
    assert "x... (line truncated to 2000 chars)\n4: line 4" in result.output


async def test_exactly_the_byte_limit_is_shown_whole_and_one_byte_more_is_not(bench: FileBench) -> None:
    line = "x" * 1023 + "\n"
    bench.write("fits.txt", line * 49 + "x" * 1024)
    bench.write("over.txt", line * 49 + "x" * 1025)
    assert (await bench.call("read", filePath="fits.txt")).metadata["truncated"] is False
    over = await bench.call("read", filePath="over.txt")
    assert "(Output capped at 50 KB. Showing lines 1-49 of 50. Use offset=50 to continue.)" in over.output


async def test_bytes_that_are_not_utf8_become_replacement_characters(bench: FileBench) -> None:
    bench.write("latin.txt", "caf\xe9\n".encode("latin-1"))
    assert "1: caf\ufffd" in (await bench.call("read", filePath="latin.txt")).output


async def test_a_directory_lists_its_entries_with_directories_marked(bench: FileBench) -> None:
    bench.write("src/main.py", "")
    (bench.directory / "Link").symlink_to(bench.directory / "src")
    result = await bench.call("read", filePath=".")
    assert result.title == ""
    assert result.output == (
        f"<path>{bench.directory}</path>\n<type>directory</type>\n"
        "<entries>\na.txt\nLink/\nsrc/\n\n(3 entries)\n</entries>"
    )
    assert result.metadata == {
        "preview": "a.txt\nLink/\nsrc/",
        "truncated": False,
        "loaded": [],
        "display": {
            "type": "directory",
            "path": str(bench.directory),
            "entries": ["a.txt", "Link/", "src/"],
            "offset": 1,
            "totalEntries": 3,
            "truncated": False,
        },
    }


async def test_a_slice_of_a_directory_says_how_to_continue(bench: FileBench) -> None:
    for name in "bcd":
        bench.write(f"{name}.txt", "")
    result = await bench.call("read", filePath=".", offset=2, limit=2)
    assert "<entries>\nb.txt\nc.txt\n\n(Showing 2 of 4 entries. Use offset=4 to continue.)" in result.output


async def test_an_image_is_attached(bench: FileBench) -> None:
    bench.write("pixel.png", PNG)
    result = await bench.call("read", filePath="pixel.png")
    assert result.output == "Image read successfully"
    assert result.metadata == {"preview": "Image read successfully", "truncated": False, "loaded": []}
    assert [(each.mime, each.url) for each in result.attachments] == [
        ("image/png", "data:image/png;base64," + base64.b64encode(PNG).decode())
    ]


async def test_a_pdf_is_known_by_its_content_and_attached(bench: FileBench) -> None:
    bench.write("paper", b"%PDF-1.7\n")
    result = await bench.call("read", filePath="paper")
    assert (result.output, result.attachments[0].mime) == ("PDF read successfully", "application/pdf")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.bin", b"text"),
        ("data.txt", b"a\0b"),
        ("noise.txt", b"\x01\x02\x03abc"),
        ("image.bmp", b"BM" + bytes(20)),
    ],
)
async def test_a_binary_file_is_refused(bench: FileBench, name: str, content: bytes) -> None:
    path = bench.write(name, content)
    with pytest.raises(ToolError, match=f"^Cannot read binary file: {path}$"):
        await bench.call("read", filePath=name)


async def test_a_missing_file_without_similar_names_is_just_missing(bench: FileBench) -> None:
    with pytest.raises(ToolError) as missing:
        await bench.call("read", filePath="b.txt")
    assert str(missing.value) == f"File not found: {bench.directory}/b.txt"


async def test_similar_names_are_offered_for_a_missing_file(bench: FileBench) -> None:
    with pytest.raises(ToolError) as missing:
        await bench.call("read", filePath="A")
    assert str(missing.value) == (
        f"File not found: {bench.directory}/A\n\nDid you mean one of these?\n{bench.directory}/a.txt"
    )


async def test_what_is_no_file_is_not_read(bench: FileBench) -> None:
    os.mkfifo(bench.directory / "pipe")
    with pytest.raises(ToolError, match="Not a regular file"):
        await bench.call("read", filePath="pipe")


async def test_reading_outside_the_project_asks_first(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.txt").write_text("x")
    await bench.call("read", filePath=str(outside / "x.txt"))
    assert bench.asks == [
        ("external_directory", [f"{outside}/*"], {"filepath": f"{outside}/x.txt", "parentDir": str(outside)}),
        ("read", [os.path.relpath(outside / "x.txt", bench.directory)], {}),
    ]


async def test_a_directory_outside_is_its_own_pattern(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    await bench.call("read", filePath=str(outside))
    assert bench.asks[0][1] == [f"{outside}/*"]


async def test_a_link_that_leads_out_of_the_project_asks_for_where_it_leads(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.txt").write_text("x")
    (bench.directory / "link.txt").symlink_to(outside / "x.txt")
    await bench.call("read", filePath="link.txt")
    real = os.path.relpath(outside / "x.txt", bench.directory)
    assert [ask[0:2] for ask in bench.asks] == [("external_directory", [f"{outside}/*"]), ("read", ["link.txt", real])]


async def test_files_of_the_users_own_prompt_are_not_asked_about_as_external(bench: FileBench) -> None:
    await bench.call("read", {"bypassCwdCheck": True}, filePath="/etc")
    assert [ask[0] for ask in bench.asks] == ["read"]


async def test_nested_instructions_stand_behind_the_output(tmp_path: Path) -> None:
    async def nested(path: Path, context: ToolContext) -> list[Path]:
        return [tmp_path / "sub" / "AGENTS.md", tmp_path / "gone.md"]

    bench = FileBench(tmp_path, nested_instructions=nested)
    rules = bench.write("sub/AGENTS.md", "Sub rules: be brief.\n")
    bench.write("sub/deep.txt", "deep\n")
    result = await bench.call("read", filePath="sub/deep.txt")
    assert result.output.endswith(
        f"</content>\n\n<system-reminder>\nInstructions from: {rules}\nSub rules: be brief.\n\n</system-reminder>"
    )
    assert result.metadata["loaded"] == [str(rules)]


async def test_a_read_file_may_be_overwritten(bench: FileBench) -> None:
    await bench.call("read", filePath="a.txt", limit=1)
    await bench.call("write", filePath="a.txt", content="new\n")
    assert (bench.directory / "a.txt").read_text() == "new\n"
