"""Limits and fallbacks as files write them."""

from typing import Any

import msgspec
import pytest

from opencode.config.merge import merge_layers
from opencode.config.schema import Config


@pytest.mark.parametrize(
    ("user", "project", "merged"),
    [
        ({"day_usd": 5}, {"day_usd": 3}, {"day_usd": 3}),
        ({"day_usd": 5}, {"day_usd": 500}, {"day_usd": 5}),
        ({"day_usd": 5}, {"session_usd": 1}, {"day_usd": 5, "session_usd": 1}),
        ({"day_usd": 0}, {"day_usd": 0.5, "session_usd": 2}, {"day_usd": 0, "session_usd": 2}),
    ],
)
def test_of_two_limits_the_least_counts_so_that_a_project_cannot_raise_them(
    user: Any, project: Any, merged: Any
) -> None:
    assert merge_layers([{"budget": user}, {}, {"budget": project}]) == {"budget": merged}


@pytest.mark.parametrize("wrong", [None, "much", {"day_usd": "much"}, {"day_usd": True}])
def test_what_is_no_limit_is_left_to_be_refused(wrong: Any) -> None:
    merged = merge_layers([{"budget": {"day_usd": 5}}, {"budget": wrong}])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(merged, Config)


@pytest.mark.parametrize("value", [[], ["a/b", "a/b/c"], {}, {"a/b": ["c/d"], "*": []}])
def test_fallbacks_are_a_list_or_a_list_for_each_model(value: Any) -> None:
    assert msgspec.convert({"model_fallback": value}, Config).model_fallback == value


@pytest.mark.parametrize("value", [["gpt-5"], ["/m"], ["p/"], {"gpt-5": ["a/b"]}, {"a/b": ["gpt-5"]}, {"*": [""]}])
def test_names_are_provider_and_model(value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match="provider/model"):
        msgspec.convert({"model_fallback": value}, Config)


@pytest.mark.parametrize(
    "settings",
    [{"retry": {"attempts": -1}}, {"retry": {"seconds": 1}}, {"budget": {"day_usd": -1}}, {"budget": {"usd": 1}}],
)
def test_settings_that_cannot_be_are_refused(settings: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, Config)
