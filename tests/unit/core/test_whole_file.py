"""Files that are replaced in one step, or left as they are."""

import os
import stat
from pathlib import Path

import pytest

from opencode.core.whole_file import FileNotStored, write_whole


def test_a_new_file_gets_its_mode_and_an_old_one_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"one", new_mode=0o600, directory_mode=0o700)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one", 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o640)
    write_whole(path, b"two", new_mode=0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o640)
    write_whole(path, b"three", new_mode=0o600, keep_mode=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_refused_file_leaves_the_old_one_and_says_why(tmp_path: Path) -> None:
    target = tmp_path / "directory"
    target.mkdir()
    with pytest.raises(FileNotStored, match=r"could not be written: Is a directory\. It was left as it was\."):
        write_whole(target, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


def test_what_a_killed_process_left_is_removed_by_the_next_write(tmp_path: Path) -> None:
    path, old, fresh = (tmp_path / name for name in ("a.json", ".a.json.0123.tmp", ".a.json.4567.tmp"))
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    write_whole(path, b"{}")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".a.json.4567.tmp", "a.json"]
