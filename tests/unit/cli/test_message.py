import base64
import io
from pathlib import Path

import pytest

from opencode.cli import message
from opencode.cli.errors import CliError
from opencode.cli.message import file_parts, message_text, session_title
from opencode.session.inputs import AttachedFile


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["hello"], "hello"),
        (["hello there"], "hello there"),
        (["fix", "the bug", 'in "a b"'], 'fix "the bug" "in \\"a b\\""'),
        ([], ""),
    ],
)
def test_arguments_are_joined_and_those_with_spaces_quoted(arguments: list[str], text: str) -> None:
    assert message_text(arguments, Keyboard()) == text


def test_what_is_piped_in_follows_the_arguments() -> None:
    assert message_text(["explain"], io.StringIO("Traceback\n")) == "explain\nTraceback\n"
    assert message_text([], io.StringIO("only this")) == "only this"
    assert message_text(["x"], io.StringIO("")) == "x"


@pytest.mark.parametrize(("wanted", "title"), [(None, None), ("T", "T"), ("", "x" * 50 + "..."), ("  ", "  ")])
def test_an_empty_title_is_the_beginning_of_the_message(wanted: str | None, title: str | None) -> None:
    assert session_title(wanted, "x" * 60) == title


def test_a_short_message_is_a_whole_title() -> None:
    assert session_title("", "fix it") == "fix it"


def test_files_and_directories_are_named_by_url(tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("hi")
    assert file_parts(["a b.txt", "."], tmp_path, inline=False) == [
        AttachedFile(mime="text/plain", filename="a b.txt", url=f"file://{tmp_path}/a%20b.txt"),
        AttachedFile(mime="application/x-directory", filename=tmp_path.name, url=f"file://{tmp_path}"),
    ]


def test_files_for_another_server_carry_their_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hi")
    (part,) = file_parts(["a.txt"], tmp_path, inline=True)
    assert part.url == "data:text/plain;base64," + base64.b64encode(b"hi").decode()


def test_a_missing_file_and_a_file_too_large_to_send_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("hi")
    monkeypatch.setattr(message, "INLINE_LIMIT_BYTES", 1)
    with pytest.raises(CliError, match=r"File not found: .*/missing"):
        file_parts(["missing"], tmp_path, inline=False)
    with pytest.raises(CliError, match="too large"):
        file_parts(["a.txt"], tmp_path, inline=True)
    assert file_parts(["a.txt"], tmp_path, inline=False)
