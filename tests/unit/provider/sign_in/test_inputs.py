"""Answers to prompts."""

import pytest

from opencode.provider.sign_in.errors import WrongInput
from opencode.provider.sign_in.github_copilot import PROMPTS
from opencode.provider.sign_in.inputs import checked_inputs


@pytest.mark.parametrize("given", [{}, {"deploymentType": ""}, {"enterpriseUrl": "x.example", "other": "y"}])
def test_older_clients_that_ask_nothing_get_the_first_choice(given: dict[str, str]) -> None:
    assert checked_inputs(PROMPTS, given) == {"deploymentType": "github.com"}


def test_a_prompt_counts_only_when_its_condition_holds() -> None:
    given = {"deploymentType": "enterprise", "enterpriseUrl": " x.example "}
    assert checked_inputs(PROMPTS, given) == {"deploymentType": "enterprise", "enterpriseUrl": "x.example"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"deploymentType": "elsewhere"}, "deploymentType"),
        ({"deploymentType": "enterprise"}, "enterpriseUrl"),
        ({"deploymentType": "enterprise", "enterpriseUrl": "x" * 3000}, "enterpriseUrl"),
    ],
)
def test_an_answer_that_is_missing_or_cannot_be_is_named(given: dict[str, str], field: str) -> None:
    with pytest.raises(WrongInput, match=f"inputs.{field}") as fault:
        checked_inputs(PROMPTS, given)
    assert fault.value.field == field
