"""The edit tool: flow, line ends, guard. The matching chain has its own tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opencode.permission.errors import PermissionDenied
from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    return FileBench(tmp_path)


def diff_of(path: Path, hunks: str) -> str:
    return f"Index: {path}\n{'=' * 67}\n--- {path}\n+++ {path}\n{hunks}"


async def test_an_edit_is_asked_for_written_announced_and_reported(bench: FileBench) -> None:
    path = bench.write("file.txt", "one\ntwo\nthree\n")
    await bench.call("read", filePath="file.txt")
    bench.asks.clear()
    result = await bench.call("edit", filePath="file.txt", oldString="two", newString="2")
    diff = diff_of(path, "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n")
    filediff = {
        "file": str(path),
        "patch": diff,
        "additions": 1,
        "deletions": 1,
        "before": "one\ntwo\nthree\n",
        "after": "one\n2\nthree\n",
    }
    assert path.read_text() == "one\n2\nthree\n"
    assert (result.title, result.output) == ("file.txt", "Edit applied successfully.")
    assert result.metadata == {"diagnostics": {}, "diff": diff, "filediff": filediff}
    assert bench.reports == [{"diff": diff, "filediff": filediff, "diagnostics": {}}]
    assert bench.asks == [("edit", ["file.txt"], {"filepath": str(path), "diff": diff})]
    assert bench.events == [("file.edited", "file.txt"), ("file.watcher.updated", "file.txt", "change")]


async def test_replace_all_changes_every_occurrence(bench: FileBench) -> None:
    path = bench.write("file.txt", "one\n2\nthree\n")
    await bench.call("read", filePath="file.txt")
    result = await bench.call("edit", filePath="file.txt", oldString="e", newString="E", replaceAll=True)
    assert path.read_text() == "onE\n2\nthrEE\n"
    assert result.metadata["diff"] == diff_of(path, "@@ -1,3 +1,3 @@\n-one\n+onE\n 2\n-three\n+thrEE\n")
    assert (result.metadata["filediff"]["additions"], result.metadata["filediff"]["deletions"]) == (2, 2)


async def test_an_empty_old_string_creates_a_file(bench: FileBench) -> None:
    result = await bench.call("edit", filePath="fresh.txt", oldString="", newString="made by edit\n")
    path = bench.directory / "fresh.txt"
    assert path.read_text() == "made by edit\n"
    assert result.metadata["diff"] == diff_of(path, "@@ -0,0 +1,1 @@\n+made by edit\n")
    assert bench.events[-1] == ("file.watcher.updated", "fresh.txt", "add")


async def test_an_empty_old_string_does_not_overwrite_a_file(bench: FileBench) -> None:
    path = bench.write("a.txt", "kept\n")
    await bench.call("read", filePath="a.txt")
    with pytest.raises(ToolError, match="already exists"):
        await bench.call("edit", filePath="a.txt", oldString="", newString="lost\n")
    assert path.read_text() == "kept\n"


async def test_equal_strings_are_no_edit(bench: FileBench) -> None:
    with pytest.raises(ToolError, match=r"^No changes to apply: oldString and newString are identical\.$"):
        await bench.call("edit", filePath="a.txt", oldString="one", newString="one")


async def test_a_missing_file_cannot_be_edited(bench: FileBench) -> None:
    with pytest.raises(ToolError, match=f"^File {bench.directory}/nowhere.txt not found$"):
        await bench.call("edit", filePath="nowhere.txt", oldString="a", newString="b")


async def test_an_unread_file_is_not_edited(bench: FileBench) -> None:
    bench.write("a.txt", "one\n")
    with pytest.raises(ToolError, match="must read the file"):
        await bench.call("edit", filePath="a.txt", oldString="one", newString="two")


async def test_a_crlf_file_is_edited_with_unix_strings_and_stays_crlf(bench: FileBench) -> None:
    path = bench.write("a.txt", b"one\r\ntwo\r\nthree\r\n")
    await bench.call("read", filePath="a.txt")
    result = await bench.call("edit", filePath="a.txt", oldString="one\ntwo", newString="1\n2")
    assert path.read_bytes() == b"1\r\n2\r\nthree\r\n"
    assert result.metadata["diff"].endswith("@@ -1,3 +1,3 @@\n-one\n-two\n+1\n+2\n three\n")


async def test_bytes_that_are_not_utf8_survive_an_edit_elsewhere(bench: FileBench) -> None:
    path = bench.write("a.txt", b"caf\xe9\none\n")
    await bench.call("read", filePath="a.txt")
    result = await bench.call("edit", filePath="a.txt", oldString="one", newString="two")
    assert path.read_bytes() == b"caf\xe9\ntwo\n"
    assert " caf\ufffd\n" in result.metadata["diff"]


async def test_large_files_come_without_whole_texts(bench: FileBench) -> None:
    bench.write("a.txt", "line\n" * 20_000 + "end\n")
    await bench.call("read", filePath="a.txt")
    result = await bench.call("edit", filePath="a.txt", oldString="end", newString="fin")
    assert set(result.metadata["filediff"]) == {"file", "patch", "additions", "deletions"}


async def test_the_final_diff_shows_what_the_formatter_made_of_it(tmp_path: Path) -> None:
    async def after_write(path: Path) -> dict[str, Sequence[dict[str, Any]]]:
        path.write_text(path.read_text().replace("2", "two!"))
        return {}

    bench = FileBench(tmp_path, after_write=after_write)
    bench.write("a.txt", "1\n")
    await bench.call("read", filePath="a.txt")
    result = await bench.call("edit", filePath="a.txt", oldString="1", newString="2")
    assert result.metadata["diff"].endswith("-1\n+two!\n")
    assert bench.asks[-1][2]["diff"].endswith("-1\n+2\n")


async def test_successive_edits_need_no_new_read(bench: FileBench) -> None:
    """Source: golden trace ``tools_edit_fuzzy`` of 1.18.33."""
    path = bench.write("f.py", "def a():\n    if x:\n        return  1\n\n\ndef b():\n\treturn 'q'\n")
    await bench.call("read", filePath="f.py")
    edits = [
        ("if x:\n    return  1", "if y:\n    return 2"),
        ("  def b():  ", "def c():"),
        ("return    'q'", "return 'z'"),
    ]
    for old, new in edits:
        await bench.call("edit", filePath="f.py", oldString=old, newString=new)
    with pytest.raises(ToolError, match=r"^Could not find oldString in the file\."):
        await bench.call("edit", filePath="f.py", oldString="def a():\n    SOMETHING\n        return 2", newString="x")
    await bench.call("edit", filePath="f.py", oldString="\\ndef c", newString="\ndef d")
    assert path.read_text() == "def a():\nif y:\n    return 2\n\n\ndef d():\nreturn 'z'\n"


async def test_a_rule_that_denies_the_change_of_an_unread_file_is_told_instead_of_what_to_do_first(
    bench: FileBench,
) -> None:
    bench.write("a.txt", "kept\n")
    bench.denied.append("a.txt")
    with pytest.raises(PermissionDenied, match="specified a rule"):
        await bench.call("edit", filePath="a.txt", oldString="kept", newString="lost")
    assert (bench.directory / "a.txt").read_text() == "kept\n"
