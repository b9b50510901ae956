"""How the commands that list something read their options."""

from typing import Any

import pytest

from opencode.cli.auth_login import LoginOptions
from opencode.cli.main import run_program
from opencode.cli.stats_table import Shown

Called = list[tuple[Any, ...]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    """What the commands were called with after the global options, instead of running them."""
    calls: Called = []

    def record(_: Any, *given: Any, **named: Any) -> int:
        calls.append((*given, named))
        return 0

    for name in ("models.models_command", "stats.stats_command", "auth_login.login_command", "auth.list_command"):
        monkeypatch.setattr(f"opencode.cli.{name}", record)
    for name in ("AGENT", "OPENCODE", "OPENCODE_PID"):
        monkeypatch.setenv(name, "")
    return calls


@pytest.mark.parametrize(
    ("line", "shown", "named"),
    [
        ("", Shown(), {"project": None, "as_json": False}),
        ("--days 0 --tools 3 --models", Shown(days=0, tools=3, models=0), {"project": None, "as_json": False}),
        ("--models --project=", Shown(models=0), {"project": "", "as_json": False}),
        ("--models 5 --json", Shown(models=5), {"project": None, "as_json": True}),
        ("--project p1 --format json", Shown(), {"project": "p1", "as_json": True}),
    ],
)
def test_stats(called: Called, line: str, shown: Shown, named: dict[str, Any]) -> None:
    assert run_program(["stats", *line.split()]) == 0
    assert called == [(shown, named)]


def test_models(called: Called) -> None:
    run_program(["models"])
    run_program(["models", "anthropic", "--verbose", "--refresh", "--format", "json"])
    nothing = {"verbose": False, "refresh": False, "as_json": False}
    assert called == [(None, nothing), ("anthropic", dict.fromkeys(nothing, True))]


@pytest.mark.parametrize("group", ["auth", "providers"])
def test_auth_has_two_names(called: Called, group: str) -> None:
    assert run_program([group, "ls", "--json"]) == 0
    line = [group, "login", "-p", "x", "-m", "Key", "--input", "a=1=2", "--input", "b=", "-y"]
    assert run_program(line) == 0
    options = LoginOptions(provider="x", method="Key", inputs={"a": "1=2", "b": ""}, yes=True)
    assert called == [({"as_json": True},), (options, {})]


@pytest.mark.parametrize("line", ["stats --days -1", "stats --models x", "auth", "auth login --input a", "models a b"])
def test_a_wrong_command_line_is_explained(called: Called, capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run_program(line.split()) == 1
    explained = capsys.readouterr().err
    assert explained.startswith("Usage: opencode") and explained.count("Usage: ") == 1
    assert called == []
