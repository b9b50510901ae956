"""What a person at the terminal is asked when they log in or out; everything is asked on stderr."""

import sys
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import click

from opencode.cli.errors import CliError
from opencode.provider.sign_in.schema import AuthPromptWhen, AuthSelectPrompt, AuthTextPrompt, ProviderAuthMethod

T = TypeVar("T")

LONGEST_KEY: Final = 64 * 1024
"""Characters; the token of a cloud account can be long."""


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def pick(question: str, choices: list[T], label: Callable[[T], str]) -> T:
    """The one that a person chooses by its number."""
    for number, choice in enumerate(choices, 1):
        click.echo(f"{number:3} {label(choice)}", err=True)
    number = click.prompt(question, type=click.IntRange(1, len(choices)), default=1, err=True)
    return choices[number - 1]


def secret(question: str) -> str:
    """What a person types unseen, or what a script sends on stdin. Raises ``CliError`` when it is empty."""
    if is_interactive():
        return str(click.prompt(question, hide_input=True, err=True)).strip()
    given = sys.stdin.read(LONGEST_KEY + 1).strip()
    if not given or len(given) > LONGEST_KEY:
        raise CliError(f"{question}: expected on standard input, for example: opencode auth login -p ID < key.txt")
    return given


def method_named(methods: list[ProviderAuthMethod], wanted: str | None) -> int:
    """The index of the method with this label, or of the one a person chooses. Raises ``CliError``."""
    labels = [method.label for method in methods]
    if wanted is not None:
        found = [index for index, label in enumerate(labels) if label.lower() == wanted.lower()]
        if not found:
            raise CliError(f'There is no login method "{wanted}". Choose one of: {", ".join(labels)}')
        return found[0]
    if len(methods) == 1:
        return 0
    if not is_interactive():
        raise CliError(f"Name the login method with --method: {', '.join(labels)}")
    return pick("Login method", list(range(len(methods))), lambda index: labels[index])


def answers(method: ProviderAuthMethod, given: Mapping[str, str]) -> dict[str, str]:
    """What the method wants to know, by key: what was given on the command line, else what a person says.

    Raises ``CliError`` for what nobody can be asked.
    """
    said: dict[str, str] = {}
    for prompt in method.prompts or ():
        if prompt.when and not _applies(prompt.when, said):
            continue
        value = given.get(prompt.key)
        if value is None and not is_interactive() and isinstance(prompt, AuthSelectPrompt):
            value = prompt.options[0].value  # as the server takes a choice that is not made
        if value is None and not is_interactive():
            raise CliError(f"{prompt.message}: give it with --input {prompt.key}=VALUE")
        said[prompt.key] = _checked(prompt, value) if value is not None else _ask(prompt)
    return said


def _applies(when: AuthPromptWhen, said: Mapping[str, str]) -> bool:
    return (said.get(when.key) == when.value) == (when.op == "eq")


def _checked(prompt: AuthTextPrompt | AuthSelectPrompt, value: str) -> str:
    if isinstance(prompt, AuthSelectPrompt) and value not in {option.value for option in prompt.options}:
        known = ", ".join(option.value for option in prompt.options)
        raise CliError(f'{prompt.message}: "{value}" is none of {known}')
    return value


def _ask(prompt: AuthTextPrompt | AuthSelectPrompt) -> str:
    if isinstance(prompt, AuthTextPrompt):
        hint = f" ({prompt.placeholder})" if prompt.placeholder else ""
        return str(click.prompt(prompt.message + hint, err=True)).strip()
    chosen = pick(
        prompt.message,
        prompt.options,
        lambda option: option.label + (f" ({option.hint})" if option.hint else ""),
    )
    return chosen.value
