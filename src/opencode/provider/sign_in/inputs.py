"""The answers to the prompts of a method, checked before anything is done with them."""

from collections.abc import Iterable, Mapping

from opencode.core.wire import UNSET
from opencode.provider.sign_in.errors import WrongInput
from opencode.provider.sign_in.schema import AuthPrompt, AuthSelectPrompt

LONGEST_ANSWER = 2_000


def checked_inputs(prompts: Iterable[AuthPrompt], given: Mapping[str, str]) -> dict[str, str]:
    """The answers that count. A choice that is not made is its first option: older clients ask nothing.

    Raises ``WrongInput``.
    """
    answers: dict[str, str] = {}
    for prompt in prompts:
        if _applies(prompt, answers):
            answers[prompt.key] = _answer(prompt, given.get(prompt.key, "").strip())
    return answers


def _applies(prompt: AuthPrompt, answers: Mapping[str, str]) -> bool:
    when = prompt.when
    if when is UNSET:
        return True
    is_equal = answers.get(when.key) == when.value
    return is_equal if when.op == "eq" else not is_equal


def _answer(prompt: AuthPrompt, answer: str) -> str:
    if len(answer) > LONGEST_ANSWER:
        raise WrongInput(prompt.key, f"inputs.{prompt.key} is too long")
    if not isinstance(prompt, AuthSelectPrompt):
        if not answer:
            raise WrongInput(prompt.key, f"inputs.{prompt.key} is missing: {prompt.message}")
        return answer
    values = [option.value for option in prompt.options]
    if answer and answer not in values:
        raise WrongInput(prompt.key, f"inputs.{prompt.key} must be one of: {', '.join(values)}")
    return answer or values[0]
