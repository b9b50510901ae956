"""Replacing files at once."""

import os
import stat
import threading
from pathlib import Path

import pytest

from opencode.file.disk import INLINE_BYTES, near, replace_file, stamp_of


def test_a_new_file_gets_the_usual_mode_and_its_directories(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    replace_file(tmp_path / "a" / "b.txt", b"x")
    made = tmp_path / "a" / "b.txt"
    assert made.read_bytes() == b"x"
    assert made.stat().st_mode == plain.stat().st_mode


def test_a_reader_of_the_old_file_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        replace_file(path, b"new and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"


def test_the_mode_stays_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_bytes(b"old")
    path.chmod(0o750)
    replace_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert os.listdir(tmp_path) == ["a.sh"]


def test_a_link_keeps_leading_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("sub/real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "sub" / "real").read_bytes() == b"new"


def test_a_link_to_nothing_creates_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "real").read_bytes() == b"new"


def test_hard_links_stay_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "b").read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def full(_: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_missing_file_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert stamp_of(tmp_path / "nowhere") is None
    assert stamp_of(tmp_path / "file" / "below") is None


async def test_work_on_large_files_runs_elsewhere() -> None:
    here = threading.get_ident()
    assert await near(INLINE_BYTES, threading.get_ident) == here
    assert await near(INLINE_BYTES + 1, threading.get_ident) != here
