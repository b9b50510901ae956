"""The glob tool."""

import os
from pathlib import Path

import pytest

from opencode.file.search import open_search
from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench


@pytest.fixture(params=["ripgrep", "python"])
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> FileBench:
    bench = FileBench(tmp_path, search=open_search(dict(os.environ)) if request.param == "ripgrep" else None)
    for age, name in enumerate(["src/util.py", "src/main.py", "a.txt"]):
        os.utime(bench.write(name, name), (1000 - age, 1000 - age))
    return bench


async def test_paths_come_absolute_and_newest_first(bench: FileBench) -> None:
    result = await bench.call("glob", pattern="**/*.py")
    assert result.title == ""
    assert result.output == f"{bench.directory}/src/util.py\n{bench.directory}/src/main.py"
    assert result.metadata == {"count": 2, "truncated": False}
    assert bench.asks == [("glob", ["**/*.py"], {"pattern": "**/*.py"})]


async def test_a_directory_can_be_given(bench: FileBench) -> None:
    result = await bench.call("glob", pattern="m*", path="src")
    assert (result.title, result.output) == ("src", f"{bench.directory}/src/main.py")
    assert bench.asks == [("glob", ["m*"], {"pattern": "m*", "path": "src"})]


async def test_a_whole_path_may_be_given_as_pattern(bench: FileBench) -> None:
    result = await bench.call("glob", pattern=f"{bench.directory}/src/m*.py")
    assert result.output == f"{bench.directory}/src/main.py"


async def test_no_match_is_said(bench: FileBench) -> None:
    result = await bench.call("glob", pattern="*.none")
    assert (result.output, result.metadata) == ("No files found", {"count": 0, "truncated": False})


async def test_only_the_hundred_newest_are_shown(bench: FileBench) -> None:
    for number in range(101):
        os.utime(bench.write(f"many/{number}.txt", ""), (number, number))
    result = await bench.call("glob", pattern="*.txt", path="many")
    lines = result.output.split("\n")
    assert lines[0].endswith("/100.txt")
    assert len(lines) == 102
    assert lines[-2:] == ["", "(Only the first 100 results are shown. Use a more specific pattern or path.)"]
    assert result.metadata == {"count": 100, "truncated": True}


async def test_a_glob_that_cannot_be_read_is_an_error(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="error parsing glob"):
        await bench.call("glob", pattern="{a")


async def test_a_file_is_no_directory_to_search(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="must be a directory"):
        await bench.call("glob", pattern="*", path="a.txt")
    with pytest.raises(ToolError, match="not found"):
        await bench.call("glob", pattern="*", path="nowhere")


async def test_outside_the_project_is_asked_for_after_the_glob(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    await bench.call("glob", pattern="*", path=str(outside))
    assert [(ask[0], ask[1]) for ask in bench.asks] == [("glob", ["*"]), ("external_directory", [f"{outside}/*"])]
