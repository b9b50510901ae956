"""The list tool."""

from pathlib import Path

import pytest

from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    bench = FileBench(tmp_path)
    for name in ("b.txt", "src/deep/x.py", "src/a.py", "node_modules/m/i.js", "notes/n.log"):
        bench.write(name, "")
    return bench


async def test_files_are_a_tree_with_directories_first(bench: FileBench) -> None:
    result = await bench.call("list", ignore=["*.log"])
    assert result.output == f"{bench.directory}/\n  src/\n    deep/\n      x.py\n    a.py\n  b.txt\n"
    assert (result.title, result.metadata) == ("", {"count": 3, "truncated": False})
    assert bench.asks == [("list", [str(bench.directory)], {"path": str(bench.directory)})]


async def test_only_a_directory_can_be_listed(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="must be a directory"):
        await bench.call("list", path="b.txt")
