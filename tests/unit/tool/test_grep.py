"""The grep tool."""

import os
from pathlib import Path

import pytest

from opencode.file.search import open_search
from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench


@pytest.fixture(params=["ripgrep", "python"])
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> FileBench:
    bench = FileBench(tmp_path, search=open_search(dict(os.environ)) if request.param == "ripgrep" else None)
    files = {
        "src/util.py": "def shout(word):\n    return word.upper()\n",
        "src/main.py": "from util import shout\n\n\ndef main():\n    print(shout('hello'))\n",
        "docs/guide.md": "# Guide\n\nRead the alpha file.\n",
        "data.bin": bytes(range(256)) + b"hello",
    }
    for age, (name, content) in enumerate(files.items()):
        os.utime(bench.write(name, content), (1000 - age, 1000 - age))
    return bench


async def test_matches_stand_by_file_newest_first(bench: FileBench) -> None:
    """Source: golden trace ``tools_search`` of 1.18.33."""
    at = bench.directory
    result = await bench.call("grep", pattern="def (\\w+)", include="*.py")
    assert result.title == "def (\\w+)"
    assert result.output == (
        f"Found 2 matches\n{at}/src/util.py:\n  Line 1: def shout(word):\n\n\n"
        f"{at}/src/main.py:\n  Line 4: def main():\n"
    )
    assert result.metadata == {"matches": 2, "truncated": False}
    assert bench.asks == [("grep", ["def (\\w+)"], {"pattern": "def (\\w+)", "include": "*.py"})]


async def test_binary_files_are_not_shown(bench: FileBench) -> None:
    result = await bench.call("grep", pattern="hello")
    assert result.output == f"Found 1 matches\n{bench.directory}/src/main.py:\n  Line 5:     print(shout('hello'))\n"


async def test_no_match_is_said(bench: FileBench) -> None:
    result = await bench.call("grep", pattern="nothing-here")
    assert (result.output, result.metadata) == ("No files found", {"matches": 0, "truncated": False})


@pytest.mark.parametrize("path", ["docs", "docs/guide.md"])
async def test_a_directory_or_a_file_can_be_given(bench: FileBench, path: str) -> None:
    result = await bench.call("grep", pattern="alpha", path=path)
    assert result.output == f"Found 1 matches\n{bench.directory}/docs/guide.md:\n  Line 3: Read the alpha file.\n"


async def test_a_broken_pattern_shows_where(bench: FileBench) -> None:
    with pytest.raises(ToolError) as broken:
        await bench.call("grep", pattern="(unclosed")
    assert str(broken.value).startswith("regex parse error:\n    (unclosed\n    ^\nerror: ")


async def test_an_empty_pattern_and_a_missing_path_are_errors(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="pattern is required"):
        await bench.call("grep", pattern="")
    with pytest.raises(ToolError, match="No such file or directory"):
        await bench.call("grep", pattern="x", path="nowhere")


async def test_a_pattern_may_look_like_an_option(bench: FileBench) -> None:
    bench.write("opt.txt", "use --files here\n")
    assert "Line 1: use --files here" in (await bench.call("grep", pattern="--files")).output


async def test_only_the_first_hundred_are_shown(bench: FileBench) -> None:
    bench.write("many.txt", "needle\n" * 150)
    result = await bench.call("grep", pattern="needle")
    assert result.output.startswith("Found 100 matches (only the first 100 are shown)\n")
    assert result.output.endswith("\n(There are more than 100 matches. Use a more specific pattern, path or include.)")
    assert result.metadata == {"matches": 100, "truncated": True}


async def test_long_lines_are_cut(bench: FileBench) -> None:
    bench.write("long.txt", "needle" + "x" * 3000)
    result = await bench.call("grep", pattern="needle")
    assert result.output.endswith("  Line 1: needle" + "x" * 1994 + "...")
