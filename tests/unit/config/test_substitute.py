"""Tokens in configuration texts. Source: configuration, section 4."""

from pathlib import Path

import pytest

from opencode.config.environment import Environment
from opencode.config.errors import ConfigInvalidError
from opencode.config.substitute import substitute


def replaced(text: str, directory: Path, **values: str) -> str:
    home = directory / "home"
    return substitute(text, source="opencode.json", directory=directory, home=home, environment=Environment(values))


def test_variables_are_replaced_everywhere_even_in_comments(tmp_path: Path) -> None:
    assert replaced('// {env:A}\n{"{env:A}": "{env:NONE}{env:B}"}', tmp_path, A="x", B="y") == '// x\n{"x": "y"}'


def test_files_are_trimmed_and_escaped(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(' a "b"\n\\c\té \n')

    assert replaced('"{file:key}"', tmp_path) == '"a \\"b\\"\\n\\\\c\\té"'


def test_files_are_found_below_the_home_and_by_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "key").write_text("x")

    assert replaced("{file:~/key}{file:" + str(tmp_path / "home" / "key") + "}", tmp_path) == "xx"


def test_files_named_in_line_comments_are_not_read(tmp_path: Path) -> None:
    text = '  // {file:missing}\n{"a": 1} '

    assert replaced(text, tmp_path) == text


def test_what_was_put_in_is_not_looked_at_again_but_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("{env:A}{file:key}")

    assert replaced("{file:{env:NAME}}{env:A}", tmp_path, NAME="key", A="{env:B}", B="no") == (
        "{env:A}{file:key}{env:B}"
    )


def test_a_missing_file_is_named_with_its_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError) as raised:
        replaced('{"a": "{file:key}"}', tmp_path)

    assert raised.value.message == (
        f"opencode.json: {{file:key}} names {tmp_path}/key, which cannot be read: No such file or directory"
    )


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match="Not a regular file"):
        replaced("{file:/dev/zero}", tmp_path)
