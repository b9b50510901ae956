"""The apply_patch tool: all or nothing, one question, the same answer as the reference."""

import os
from pathlib import Path

import pytest

from opencode.tool.tool import ToolError
from tests.support.file_bench import FileBench

PATCH = """*** Begin Patch
*** Add File: added.txt
+new line 1
+new line 2
*** Update File: a.txt
@@
 alpha
-beta
+BETA changed
 gamma
*** Update File: docs/guide.md
*** Move to: docs/moved.md
@@
-# Guide
+# Moved guide
*** Delete File: src/util.py
*** End Patch"""


@pytest.fixture
def bench(tmp_path: Path) -> FileBench:
    bench = FileBench(tmp_path)
    bench.write("a.txt", "alpha\nbeta\ngamma\n")
    bench.write("docs/guide.md", "# Guide\n\nRead the alpha file.\n")
    bench.write("src/util.py", "def shout(word):\n    return word.upper()\n")
    return bench


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def header(path: str) -> str:
    return f"Index: {path}\n{'=' * 67}\n--- {path}\n+++ {path}\n"


async def test_one_patch_adds_updates_moves_and_deletes(bench: FileBench) -> None:
    """Source: golden trace ``tools_apply_patch`` of 1.18.33."""
    at = bench.directory
    result = await bench.call("apply_patch", patchText=PATCH)
    title = "Success. Updated the following files:\nA added.txt\nM a.txt\nM docs/moved.md\nD src/util.py"
    assert (result.title, result.output) == (title, title)
    patches = [
        header(f"{at}/added.txt") + "@@ -0,0 +1,2 @@\n+new line 1\n+new line 2\n",
        header(f"{at}/a.txt") + "@@ -1,3 +1,3 @@\n alpha\n-beta\n+BETA changed\n gamma\n",
        header(f"{at}/docs/guide.md") + "@@ -1,3 +1,3 @@\n-# Guide\n+# Moved guide\n \n Read the alpha file.\n",
        header(f"{at}/src/util.py") + "@@ -1,2 +0,0 @@\n-def shout(word):\n-    return word.upper()\n",
    ]
    assert result.metadata["diff"] == "".join(each + "\n" for each in patches)
    assert result.metadata["diagnostics"] == {}
    keys = ("filePath", "relativePath", "type", "patch", "additions", "deletions", "movePath")
    assert [{key: file[key] for key in keys if key in file} for file in result.metadata["files"]] == [
        {"filePath": f"{at}/added.txt", "relativePath": "added.txt", "type": "add", "patch": patches[0], "additions": 2,
         "deletions": 0},
        {"filePath": f"{at}/a.txt", "relativePath": "a.txt", "type": "update", "patch": patches[1], "additions": 1,
         "deletions": 1},
        {"filePath": f"{at}/docs/guide.md", "relativePath": "docs/moved.md", "type": "move", "patch": patches[2],
         "additions": 1, "deletions": 1, "movePath": f"{at}/docs/moved.md"},
        {"filePath": f"{at}/src/util.py", "relativePath": "src/util.py", "type": "delete", "patch": patches[3],
         "additions": 0, "deletions": 3},
    ]  # fmt: skip
    assert bench.events == [
        ("file.edited", "added.txt"),
        ("file.edited", "a.txt"),
        ("file.edited", "docs/moved.md"),
        ("file.watcher.updated", "added.txt", "add"),
        ("file.watcher.updated", "a.txt", "change"),
        ("file.watcher.updated", "docs/guide.md", "unlink"),
        ("file.watcher.updated", "docs/moved.md", "add"),
        ("file.watcher.updated", "src/util.py", "unlink"),
    ]
    assert (at / "added.txt").read_text() == "new line 1\nnew line 2\n"
    assert (at / "a.txt").read_text() == "alpha\nBETA changed\ngamma\n"
    assert (at / "docs/moved.md").read_text() == "# Moved guide\n\nRead the alpha file.\n"
    assert not (at / "docs/guide.md").exists()
    assert not (at / "src/util.py").exists()


async def test_it_asks_once_for_all_files(bench: FileBench) -> None:
    result = await bench.call("apply_patch", patchText=PATCH)
    paths = ["added.txt", "a.txt", "docs/guide.md", "docs/moved.md", "src/util.py"]
    assert bench.asks == [
        (
            "edit",
            paths,
            {"filepath": ", ".join(paths), "diff": result.metadata["diff"], "files": result.metadata["files"]},
        )
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            patch("*** Update File: a.txt", "@@", "-not there", "+whatever"),
            "apply_patch verification failed: Error: Failed to find expected lines in {at}/a.txt:\nnot there",
        ),
        ("nonsense", "apply_patch verification failed: Error: Invalid patch format: missing Begin/End markers"),
        (patch(), "patch rejected: empty patch"),
        (
            patch("*** Update File: missing.txt", "@@", "-a", "+b"),
            "apply_patch verification failed: Failed to read file to update: {at}/missing.txt",
        ),
        (
            patch("*** Delete File: missing.txt"),
            "apply_patch verification failed: Failed to read file to delete: {at}/missing.txt",
        ),
    ],
)
async def test_a_patch_that_does_not_fit_is_refused(bench: FileBench, text: str, message: str) -> None:
    with pytest.raises(ToolError) as refused:
        await bench.call("apply_patch", patchText=text)
    assert str(refused.value) == message.format(at=bench.directory)


async def test_nothing_is_written_when_a_later_section_does_not_fit(bench: FileBench) -> None:
    text = patch("*** Add File: new.txt", "+x", "*** Update File: a.txt", "@@", "-nope", "+x")
    with pytest.raises(ToolError):
        await bench.call("apply_patch", patchText=text)
    assert sorted(os.listdir(bench.directory)) == ["a.txt", "docs", "src"]
    assert (bench.asks, bench.events) == ([], [])


async def test_nothing_is_written_when_a_file_changes_while_the_user_is_asked(bench: FileBench) -> None:
    bench.on_ask.append(lambda: bench.write("src/util.py", "changed meanwhile\n"))
    with pytest.raises(ToolError, match="changed by someone else"):
        await bench.call("apply_patch", patchText=PATCH)
    assert not (bench.directory / "added.txt").exists()
    assert bench.events == []


async def test_a_later_section_sees_what_an_earlier_one_does_to_the_file(bench: FileBench) -> None:
    text = patch(
        *("*** Update File: a.txt", "@@", "-alpha", "+ALPHA"),
        *("*** Update File: a.txt", "@@", "-gamma", "+GAMMA"),
    )
    await bench.call("apply_patch", patchText=text)
    assert (bench.directory / "a.txt").read_text() == "ALPHA\nbeta\nGAMMA\n"


async def test_adding_over_an_unread_file_is_refused(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="must read the file"):
        await bench.call("apply_patch", patchText=patch("*** Add File: a.txt", "+x"))
    await bench.call("read", filePath="a.txt")
    await bench.call("apply_patch", patchText=patch("*** Add File: a.txt", "+x"))
    assert (bench.directory / "a.txt").read_text() == "x\n"


async def test_moving_onto_an_unread_file_is_refused(bench: FileBench) -> None:
    text = patch("*** Update File: a.txt", "*** Move to: docs/guide.md", "@@", "-alpha", "+ALPHA")
    with pytest.raises(ToolError, match="must read the file"):
        await bench.call("apply_patch", patchText=text)


async def test_a_move_without_changes_keeps_every_byte(bench: FileBench) -> None:
    bench.write("raw.txt", b"caf\xe9\r\nno end")
    await bench.call("apply_patch", patchText=patch("*** Update File: raw.txt", "*** Move to: x/raw.txt"))
    assert (bench.directory / "x/raw.txt").read_bytes() == b"caf\xe9\r\nno end"


async def test_a_crlf_file_stays_crlf(bench: FileBench) -> None:
    bench.write("w.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    await bench.call("apply_patch", patchText=patch("*** Update File: w.txt", "@@", " one", "-two", "+2"))
    assert (bench.directory / "w.txt").read_bytes() == b"\xef\xbb\xbfone\r\n2\r\n"


async def test_an_update_without_changes_is_refused(bench: FileBench) -> None:
    with pytest.raises(ToolError, match="has no changes"):
        await bench.call("apply_patch", patchText=patch("*** Update File: a.txt"))


async def test_paths_outside_the_project_are_asked_for_first(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    text = patch("*** Update File: a.txt", f"*** Move to: {outside}/b.txt", "@@", "-alpha", "+ALPHA")
    await bench.call("apply_patch", patchText=text)
    assert [(ask[0], ask[1]) for ask in bench.asks] == [
        ("external_directory", [f"{outside}/*"]),
        ("edit", ["a.txt", os.path.relpath(outside / "b.txt", bench.directory)]),
    ]


async def test_a_directory_outside_is_asked_for_once(
    bench: FileBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    text = patch(f"*** Add File: {outside}/a", "+a", f"*** Add File: {outside}/b", "+b")
    await bench.call("apply_patch", patchText=text)
    assert [ask[0] for ask in bench.asks] == ["external_directory", "edit"]


async def test_a_patched_file_may_be_edited_at_once(bench: FileBench) -> None:
    await bench.call("apply_patch", patchText=PATCH)
    await bench.call("edit", filePath="a.txt", oldString="gamma", newString="GAMMA")
    assert (bench.directory / "a.txt").read_text() == "alpha\nBETA changed\nGAMMA\n"
