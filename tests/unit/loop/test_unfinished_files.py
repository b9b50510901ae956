"""Half-written files of a dead process go; finished ones, and those of others, stay."""

from pathlib import Path
from typing import Any

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.loop.unfinished_files import clear_unfinished
from opencode.session.schema import (
    MessageWithParts,
    StartTime,
    ToolPart,
    ToolStatePending,
    ToolStateRunning,
)
from tests.support.records import assistant_message

NAME = ".opencode-0123456789abcdef.tmp"
"""As ``replace_file`` calls them; that it does is seen in ``tests/crash/test_unfinished_files.py``."""


def history(state: ToolStateRunning | ToolStatePending) -> list[MessageWithParts]:
    part = ToolPart(
        id=PartID("prt_1"), session_id=SessionID("ses_1"), message_id=MessageID("msg_2"), call_id="c", tool="t",
        state=state,
    )  # fmt: skip
    return [MessageWithParts(info=assistant_message("ses_1", "msg_2", "msg_1"), parts=[part])]


def running(**arguments: Any) -> list[MessageWithParts]:
    return history(ToolStateRunning(input=arguments, time=StartTime(start=1)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"filePath": "@/sub/a.txt", "content": "x"},
        {"filePath": "sub/a.txt"},
        {"patchText": "*** Begin Patch\n*** Update File: sub/a.txt\n@@\n-a\n+b\n*** End Patch"},
        {"patchText": "*** Add File: sub/a.txt"},
        {"patchText": "*** Update File: b.txt\n*** Move to: sub/a.txt"},
    ],
)
def test_what_a_running_call_left_is_removed(arguments: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    left = tmp_path / "sub" / NAME
    left.touch()
    clear_unfinished(running(**{name: text.replace("@", str(tmp_path)) for name, text in arguments.items()}), tmp_path)
    assert not left.exists()


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "real" / "a.txt")
    left = tmp_path / "real" / NAME
    left.touch()
    clear_unfinished(running(filePath="link.txt"), tmp_path)
    assert not left.exists()


def test_other_files_stay(tmp_path: Path) -> None:
    others = [tmp_path / ".opencode-keep", tmp_path / "a.tmp", tmp_path / "sub" / NAME]
    (tmp_path / "sub").mkdir()
    for path in others:
        path.touch()
    clear_unfinished(running(filePath="a.txt"), tmp_path)
    assert all(path.exists() for path in others)


def test_a_call_that_had_not_begun_left_nothing(tmp_path: Path) -> None:
    left = tmp_path / NAME
    left.touch()
    clear_unfinished(history(ToolStatePending(input={"filePath": "a.txt"}, raw="")), tmp_path)
    assert left.exists()


@pytest.mark.parametrize("path", ["missing/a.txt", "x" * 300 + "/a.txt", "a\0b/c", "\ud800/x", 7, None, ""])
def test_arguments_that_name_no_file_are_nobodys_trouble(path: Any, tmp_path: Path) -> None:
    clear_unfinished(running(filePath=path), tmp_path)
