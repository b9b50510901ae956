"""The template of a command becomes a prompt: arguments, then the output of shell commands in it.

Source: spec, commands and skills, section 3.
"""

import re
from collections.abc import Awaitable, Callable

from opencode.core.tasks import task_group

RunInsertion = Callable[[str], Awaitable[str]]
"""Runs a shell command and gives what it printed."""

_ARGUMENT = re.compile(r"""\[Image\s+[0-9]+\]|"[^"]*"|'[^']*'|[^\s"']+""", re.IGNORECASE)
_QUOTE_AT_AN_END = re.compile(r"""^["']|["']$""")
_PLACEHOLDER = re.compile(r"\$(?:(?P<number>[1-9][0-9]{0,5})(?![0-9])|ARGUMENTS)")
_INSERTION = re.compile(r"!`([^`]+)`")


def split_arguments(text: str) -> list[str]:
    """Words, quoted texts without their quotes, and ``[Image 1]``, which is one word."""
    return [_QUOTE_AT_AN_END.sub("", word) for word in _ARGUMENT.findall(text)]


def fill(template: str, arguments: str) -> str:
    """The template with its placeholders replaced, all in one pass: what arguments hold is not replaced again.

    ``$1`` and so on are single arguments, empty when missing; the highest of them takes all that are left.
    ``$ARGUMENTS`` is the text as it was given. A template without placeholders gets the arguments appended.
    """
    numbers = [int(found["number"]) for found in _PLACEHOLDER.finditer(template) if found["number"]]
    last, words = max(numbers, default=0), split_arguments(arguments)

    def value(found: re.Match[str]) -> str:
        if found["number"] is None:
            return arguments
        number = int(found["number"])
        return " ".join(words[number - 1 :] if number == last else words[number - 1 : number])

    if _PLACEHOLDER.search(template) is None:
        return with_arguments(template, arguments)
    return _PLACEHOLDER.sub(value, template)


def with_arguments(text: str, arguments: str) -> str:
    """The text, and below it the arguments if there are any."""
    return f"{text}\n\n{arguments}" if arguments.strip() else text


async def insert_outputs(text: str, run: RunInsertion) -> str:
    """The text with each ``!`command` `` replaced by what the command prints. All run side by side."""
    commands = _INSERTION.findall(text)
    outputs = [""] * len(commands)

    async def keep(index: int, command: str) -> None:
        outputs[index] = await run(command)

    async with task_group() as tasks:
        for index, command in enumerate(commands):
            tasks.start_soon(keep, index, command)
    given = iter(outputs)
    return _INSERTION.sub(lambda _: next(given), text)
