"""What ``opencode auth`` lists and asks."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from opencode.cli import auth_questions
from opencode.cli.auth_questions import answers, method_named, secret
from opencode.cli.errors import CliError
from opencode.cli.main import run_program
from opencode.provider.sign_in.schema import (
    AuthPromptWhen,
    AuthSelectOption,
    AuthSelectPrompt,
    AuthTextPrompt,
    ProviderAuthMethod,
)

OAUTH = ProviderAuthMethod(
    type="oauth",
    label="Log in",
    prompts=[
        AuthSelectPrompt(
            key="kind",
            message="Which?",
            options=[AuthSelectOption(label=name.title(), value=name) for name in ("one", "two")],
        ),
        AuthTextPrompt(key="url", message="Where?", when=AuthPromptWhen(key="kind", op="eq", value="two")),
    ],
)
KEY = ProviderAuthMethod(type="api", label="API key")
NO_VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_AUTH_CONTENT", "XDG_DATA_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of a user without anything."""
    for name in NO_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENCODE_TEST_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AGENT", "OPENCODE", "OPENCODE_PID"):
        monkeypatch.setenv(name, "")
    return tmp_path / ".local/share/opencode"


def run(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], stdin: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    return run_program(["auth", *arguments])


def test_a_script_stores_a_key_that_is_never_shown(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, ["login", "--provider", "Anthropic"], "sk-secret\n") == 0
    assert json.loads((data / "auth.json").read_text()) == {"anthropic": {"type": "api", "key": "sk-secret"}}
    assert run(monkeypatch, ["list"]) == 0
    assert run(monkeypatch, ["ls", "--json"]) == 0
    printed = capsys.readouterr()
    assert "sk-secret" not in printed.out + printed.err
    assert "●  Anthropic api" in printed.out and "└  1 credential\n" in printed.out
    listed = json.loads(printed.out[printed.out.index("{") :])
    assert listed["credentials"] == [{"id": "anthropic", "name": "Anthropic", "type": "api"}]
    assert listed["path"] == str(data / "auth.json")


def test_variables_that_are_set_are_listed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert run(monkeypatch, ["list"]) == 0
    printed = capsys.readouterr().out
    assert "└  0 credentials" in printed
    assert "●  OpenAI OPENAI_API_KEY" in printed and "└  1 environment variable\n" in printed
    assert "sk-secret" not in printed


def test_logging_out_takes_an_id_a_name_or_an_address(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data.mkdir(parents=True)
    stored = {
        "anthropic": {"type": "api", "key": "k"},
        "openai": {"type": "oauth", "refresh": "r", "access": "a", "expires": 0},
        "https://corp.example": {"type": "wellknown", "key": "K", "token": "t"},
        "unknown": {"type": "later"},
    }
    (data / "auth.json").write_text(json.dumps(stored))
    for name in ("ANTHROPIC", "OpenAI", "https://corp.example/"):
        assert run(monkeypatch, ["logout", name]) == 0
    assert list(json.loads((data / "auth.json").read_text())) == ["unknown"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["login"], "k", "--provider"),
        (["login", "-p", "anthropic"], "", "on standard input"),
        (["login", "-p", "anthropc!"], "k", "Did you mean anthropic"),
        (["login", "ftp://x"], "", "must begin with https://"),
        (["login", "-p", "anthropic", "--input", "x"], "k", "KEY=VALUE"),
        (["logout", "anthropic"], "", "No credentials found"),
    ],
)
def test_what_is_missing_is_said(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    stdin: str,
    expected: str,
) -> None:
    assert run(monkeypatch, arguments, stdin) == 1
    assert expected in capsys.readouterr().err
    assert not (data / "auth.json").exists()


def test_a_provider_of_ones_own_gets_a_key_and_a_hint(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, ["login", "-p", "my-server"], "k") == 0
    assert "opencode.json" in capsys.readouterr().err
    assert "my-server" in json.loads((data / "auth.json").read_text())


def test_credentials_of_a_variable_are_not_forgotten(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENCODE_AUTH_CONTENT", '{"anthropic": {"type": "api", "key": "k"}}')
    assert run(monkeypatch, ["logout", "anthropic"]) == 1
    assert "OPENCODE_AUTH_CONTENT" in capsys.readouterr().err


def test_a_method_is_chosen_by_its_label_and_alone_needs_none() -> None:
    assert method_named([OAUTH, KEY], "api KEY") == 1
    assert method_named([KEY], None) == 0
    with pytest.raises(CliError, match="--method: Log in, API key"):
        method_named([OAUTH, KEY], None)
    with pytest.raises(CliError, match="no login method"):
        method_named([OAUTH], "x")


def test_only_what_applies_is_asked() -> None:
    assert answers(OAUTH, {"kind": "one", "url": "unused"}) == {"kind": "one"}
    assert answers(OAUTH, {"kind": "two", "url": "https://x"}) == {"kind": "two", "url": "https://x"}
    assert answers(KEY, {}) == {}
    assert answers(OAUTH, {}) == {"kind": "one"}, "a choice that nobody makes is the first one"
    with pytest.raises(CliError, match="--input url=VALUE"):
        answers(OAUTH, {"kind": "two"})
    with pytest.raises(CliError, match="none of one, two"):
        answers(OAUTH, {"kind": "three"})


def test_a_person_is_asked_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_questions, "is_interactive", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("2\nhttps://x\n"))
    assert answers(OAUTH, {}) == {"kind": "two", "url": "https://x"}


def test_a_key_of_unreasonable_size_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("k" * 70_000))
    with pytest.raises(CliError):
        secret("API key")
