"""The write tool: whole files, announced, guarded, atomic."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.permission.errors import PermissionDenied
from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    return FileBench(tmp_path)


async def test_a_new_file_is_created_with_its_directories_and_announced(bench: FileBench) -> None:
    result = await bench.call("write", filePath="new/file.txt", content="one\n")
    path = bench.directory / "new" / "file.txt"
    assert path.read_text() == "one\n"
    assert (result.title, result.output) == ("new/file.txt", "Wrote file successfully.")
    assert result.metadata == {"diagnostics": {}, "filepath": str(path), "exists": False}
    assert bench.events == [
        ("file.edited", "new/file.txt"),
        ("file.watcher.updated", "new/file.txt", "add"),
    ]
    bar = "=" * 67
    assert bench.asks == [
        (
            "edit",
            ["new/file.txt"],
            {
                "filepath": str(path),
                "diff": f"Index: {path}\n{bar}\n--- {path}\n+++ {path}\n@@ -0,0 +1,1 @@\n+one\n",
            },
        )
    ]


async def test_an_unread_file_is_not_overwritten(bench: FileBench) -> None:
    bench.write("a.txt", "kept\n")
    with pytest.raises(ToolError, match="must read the file"):
        await bench.call("write", filePath="a.txt", content="lost\n")
    assert (bench.directory / "a.txt").read_text() == "kept\n"
    assert bench.asks == []


async def test_a_file_changed_since_it_was_read_is_not_overwritten(bench: FileBench) -> None:
    bench.write("a.txt", "one\n")
    await bench.call("read", filePath="a.txt")
    bench.write("a.txt", "two words\n")
    with pytest.raises(ToolError, match=r"modified since you last read it\.\nLast modification: .*Z\nLast read: .*Z"):
        await bench.call("write", filePath="a.txt", content="three\n")


async def test_without_the_guard_an_unread_file_is_overwritten(tmp_path: Path) -> None:
    bench = FileBench(tmp_path, guard=False)
    bench.write("a.txt", "one\n")
    result = await bench.call("write", filePath="a.txt", content="two\n")
    assert result.metadata["exists"] is True
    assert bench.events[-1] == ("file.watcher.updated", "a.txt", "change")


async def test_what_a_tool_wrote_may_be_written_again(bench: FileBench) -> None:
    await bench.call("write", filePath="a.txt", content="one\n")
    await bench.call("write", filePath="a.txt", content="two\n")
    assert (bench.directory / "a.txt").read_text() == "two\n"


async def test_a_file_that_changes_while_the_user_is_asked_is_not_overwritten(bench: FileBench) -> None:
    bench.write("a.txt", "one\n")
    await bench.call("read", filePath="a.txt")
    bench.on_ask.append(lambda: bench.write("a.txt", "by the user\n"))
    with pytest.raises(ToolError, match="changed by someone else"):
        await bench.call("write", filePath="a.txt", content="two\n")
    assert (bench.directory / "a.txt").read_text() == "by the user\n"
    assert bench.events == []


async def test_writing_outside_the_project_asks_for_that_first(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    await bench.call("write", filePath=str(outside / "x.txt"), content="x")
    assert [ask[0] for ask in bench.asks] == ["external_directory", "edit"]


async def test_a_byte_order_mark_and_crlf_line_ends_stay(bench: FileBench) -> None:
    bench.write("a.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    await bench.call("read", filePath="a.txt")
    await bench.call("write", filePath="a.txt", content="three\nfour\n")
    assert (bench.directory / "a.txt").read_bytes() == b"\xef\xbb\xbfthree\r\nfour\r\n"


async def test_a_given_byte_order_mark_is_written_once(bench: FileBench) -> None:
    await bench.call("write", filePath="a.txt", content="\ufeffone\n")
    await bench.call("write", filePath="a.txt", content="\ufefftwo\n")
    assert (bench.directory / "a.txt").read_bytes() == b"\xef\xbb\xbftwo\n"


async def test_a_link_stays_a_link_and_the_mode_stays(bench: FileBench) -> None:
    real = bench.write("real.sh", "echo one\n")
    real.chmod(0o755)
    (bench.directory / "link.sh").symlink_to(real)
    await bench.call("read", filePath="link.sh")
    await bench.call("write", filePath="link.sh", content="echo two\n")
    assert (bench.directory / "link.sh").is_symlink()
    assert real.read_text() == "echo two\n"
    assert real.stat().st_mode & 0o777 == 0o755
    assert sorted(os.listdir(bench.directory)) == ["link.sh", "real.sh"]


async def test_a_directory_is_not_overwritten(bench: FileBench) -> None:
    (bench.directory / "sub").mkdir()
    with pytest.raises(ToolError, match="Path is a directory"):
        await bench.call("write", filePath="sub", content="x")


async def test_writers_of_one_file_take_turns(bench: FileBench) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(lambda n: bench.call("write", filePath="a.txt", content=f"{n}\n"), number)
    diffs = [metadata["diff"].split("@@\n")[1] for _, _, metadata in bench.asks]
    assert diffs == ["+0\n", "-0\n+1\n", "-1\n+2\n", "-2\n+3\n", "-3\n+4\n"]


async def test_errors_of_the_language_server_are_told(tmp_path: Path) -> None:
    def error(message: str, severity: int = 1) -> dict[str, Any]:
        return {"range": {"start": {"line": 1, "character": 2}}, "message": message, "severity": severity}

    async def after_write(path: Path) -> dict[str, Sequence[dict[str, Any]]]:
        return {str(path): [error("bad name"), error("a warning", 2)], "/other.py": [error("broken")]}

    bench = FileBench(tmp_path, after_write=after_write)
    result = await bench.call("write", filePath="a.py", content="x\n")
    assert result.output == (
        "Wrote file successfully."
        "\n\nThe language server reports errors in this file:\n"
        f'<diagnostics file="{tmp_path}/a.py">\nERROR [2:3] bad name\n</diagnostics>'
        "\n\nThe language server reports errors in another file:\n"
        '<diagnostics file="/other.py">\nERROR [2:3] broken\n</diagnostics>'
    )
    assert list(result.metadata["diagnostics"]) == [f"{tmp_path}/a.py", "/other.py"]


async def test_what_a_formatter_changed_counts_as_known(tmp_path: Path) -> None:
    async def after_write(path: Path) -> dict[str, Sequence[dict[str, Any]]]:
        path.write_text(path.read_text() + "# formatted\n")
        return {}

    bench = FileBench(tmp_path, after_write=after_write)
    await bench.call("write", filePath="a.py", content="x\n")
    await bench.call("write", filePath="a.py", content="y\n")
    assert (tmp_path / "a.py").read_text() == "y\n# formatted\n"


async def test_a_rule_that_denies_the_change_of_an_unread_file_is_told_instead_of_what_to_do_first(
    bench: FileBench,
) -> None:
    bench.write("a.txt", "kept\n")
    bench.denied.append("a.txt")
    with pytest.raises(PermissionDenied, match="specified a rule"):
        await bench.call("write", filePath="a.txt", content="lost\n")
    assert (bench.directory / "a.txt").read_text() == "kept\n"
