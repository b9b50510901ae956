import stat
from pathlib import Path

import pytest

from opencode.core import log_file
from opencode.core.log import get_logger
from opencode.core.log_file import configure_logging, remove_old_logs


class FixedClock:
    def now_ms(self) -> int:
        return 1_767_323_045_000


def test_the_log_is_a_private_file_named_after_the_start(tmp_path: Path) -> None:
    with configure_logging("INFO", to_stderr=False, directory=tmp_path / "log", clock=FixedClock()) as path:
        get_logger("test").info("hello", answer=42)
        get_logger("test").debug("too much")
    assert path == tmp_path / "log" / "2026-01-02T030405.log"
    assert path.read_text().endswith("service=test answer=42 hello\n")
    assert len(path.read_text().splitlines()) == 1
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


def test_the_log_can_go_to_stderr_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging("DEBUG", to_stderr=True, directory=tmp_path / "log", clock=FixedClock()) as path:
        get_logger("test").debug("hello")
    assert path is None
    assert not (tmp_path / "log").exists()
    assert capsys.readouterr().err.endswith("service=test hello\n")


def test_a_traceback_follows_its_line_indented(tmp_path: Path) -> None:
    with configure_logging("INFO", to_stderr=False, directory=tmp_path, clock=FixedClock()) as path:
        try:
            raise ValueError("broken")
        except ValueError:
            get_logger("test").exception("failed")
    assert path is not None
    first, *rest = path.read_text().splitlines()
    assert first.startswith("ERROR ") and first.endswith(" failed")
    assert rest[-1] == "    ValueError: broken"
    assert all(line.startswith("    ") for line in rest)


def test_after_the_set_up_ends_nothing_more_is_written(tmp_path: Path) -> None:
    with configure_logging("INFO", to_stderr=False, directory=tmp_path, clock=FixedClock()) as path:
        pass
    get_logger("test").info("late")
    assert path is not None and not path.read_text()


def test_only_the_newest_files_are_kept_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    names = [f"2026-01-{day:02}T000000.log" for day in range(1, 16)]
    for name in (*names, "dev.log", f"{names[0]}.1"):
        (tmp_path / name).touch()
    remove_old_logs(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names[-10:], "dev.log"]


def test_the_file_of_a_process_that_still_runs_is_kept_however_old(tmp_path: Path) -> None:
    with configure_logging("INFO", to_stderr=False, directory=tmp_path, clock=FixedClock()) as path:
        for day in range(10, 30):
            (tmp_path / f"2026-01-{day}T000000.log").touch()
        remove_old_logs(tmp_path)
        assert path is not None and path.exists()
    remove_old_logs(tmp_path)
    assert not path.exists()


def test_a_full_file_makes_room_once_so_that_a_process_keeps_a_bounded_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "FILE_LIMIT_BYTES", 2_000)
    with configure_logging("INFO", to_stderr=False, directory=tmp_path, clock=FixedClock()):
        for number in range(500):
            get_logger("test").info("hello", number=number)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) <= 4_000
