"""Environment variables as the rest of the program sees them. Source: CLI, section 6."""

import pytest

from opencode.config.environment import Environment


@pytest.mark.parametrize(
    ("value", "is_set"), [("1", True), ("true", True), ("TRUE", True), ("yes", False), ("0", False), ("", False)]
)
def test_only_true_and_one_set_a_flag(value: str, is_set: bool) -> None:
    assert Environment({"A": value}).flag("A") is is_set


def test_one_variable_switches_experiments_on() -> None:
    assert Environment({"OPENCODE_EXPERIMENTAL": "1"}).experimental("OPENCODE_EXPERIMENTAL_X")
    assert not Environment().experimental("OPENCODE_EXPERIMENTAL_X")


@pytest.mark.parametrize(("value", "number"), [("5", 5), ("0", None), ("-1", None), ("1.5", None), ("²", None)])
def test_only_whole_numbers_above_zero_count(value: str, number: int | None) -> None:
    assert Environment({"A": value}).positive("A") == number


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Environment({"A": ""}).get("A") is None
