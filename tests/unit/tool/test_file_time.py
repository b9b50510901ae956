"""The guard against blind overwrites."""

from pathlib import Path

import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import SessionID
from opencode.file.disk import FileStamp, stamp_of
from opencode.tool.file_time import FileTimes
from opencode.tool.tool import ToolError

ONE, OTHER = SessionID("ses_1"), SessionID("ses_2")
PATH = Path("/p/a.txt")
STAMP = FileStamp(modified_ns=1_700_000_000_123_000_000, size=3)


def test_only_what_the_session_itself_has_seen_counts() -> None:
    times = FileTimes(SystemClock())
    times.record(ONE, PATH, STAMP)
    times.check(ONE, PATH, STAMP)
    with pytest.raises(ToolError, match="must read the file"):
        times.check(OTHER, PATH, STAMP)


def test_another_size_or_time_is_a_modification() -> None:
    times = FileTimes(SystemClock())
    times.record(ONE, PATH, STAMP)
    for changed in (FileStamp(STAMP.modified_ns + 1, 3), FileStamp(STAMP.modified_ns, 4)):
        with pytest.raises(ToolError, match=r"Last modification: 2023-11-14T22:13:20\.123Z"):
            times.check(ONE, PATH, changed)


def test_a_switched_off_guard_lets_everything_through() -> None:
    FileTimes(SystemClock(), enabled=False).check(ONE, PATH, STAMP)


def test_the_oldest_entries_are_forgotten() -> None:
    times = FileTimes(SystemClock(), limit=2)
    for name in "abca":
        times.record(ONE, Path(name), STAMP)
    times.check(ONE, Path("c"), STAMP)
    times.check(ONE, Path("a"), STAMP)
    with pytest.raises(ToolError):
        times.check(ONE, Path("b"), STAMP)


def test_a_deleted_session_is_forgotten() -> None:
    times = FileTimes(SystemClock())
    times.record(ONE, PATH, STAMP)
    times.record(OTHER, PATH, STAMP)
    times.forget_session(ONE)
    times.check(OTHER, PATH, STAMP)
    with pytest.raises(ToolError):
        times.check(ONE, PATH, STAMP)


def test_two_paths_to_one_file_are_one_file(tmp_path: Path) -> None:
    times = FileTimes(SystemClock())
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    times.record(ONE, tmp_path / "link", STAMP)
    times.check(ONE, tmp_path / "real", STAMP)


def test_the_present_state_can_be_recorded(tmp_path: Path) -> None:
    times = FileTimes(SystemClock())
    file = tmp_path / "a"
    times.record_now(ONE, file)
    file.write_text("x")
    times.record_now(ONE, file)
    stamp = stamp_of(file)
    assert stamp
    times.check(ONE, file, stamp)
