from pathlib import Path

import pytest

from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import log_level, surroundings
from opencode.config.environment import Environment
from opencode.core.log import get_logger


@pytest.mark.parametrize(
    ("option", "variable", "level"),
    [(None, "", "INFO"), (None, "debug", "DEBUG"), ("WARN", "debug", "WARN"), (None, "loud", "INFO")],
)
def test_the_level_is_that_of_the_option_then_of_the_environment(option: str, variable: str, level: str) -> None:
    assert log_level(GlobalOptions(log_level=option), Environment({"OPENCODE_LOG_LEVEL": variable})) == level


def test_everything_is_read_from_the_environment_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with surroundings(GlobalOptions(pure=True)) as found:
        monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
        get_logger("test").info("hello")
    assert found.paths.data == tmp_path / "opencode"
    assert found.environment.flag("OPENCODE_PURE")
    assert found.log_file is not None and found.log_file.parent == tmp_path / "opencode/log"
    assert found.log_file.read_text().endswith("hello\n")


def test_the_log_can_go_to_stderr_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("OPENCODE_PRINT_LOGS", "true")
    with surroundings(GlobalOptions()) as found:
        get_logger("test").warning("hello")
    assert (found.log_file, list(tmp_path.iterdir())) == (None, [])
    assert capsys.readouterr().err.endswith("hello\n")
