"""What can be wrong with the name of a command."""

from collections.abc import Iterable

from opencode.core.errors import Invalid


class CommandNotFound(Invalid):
    """No such command. The message names the ones there are."""

    name = "UnknownError"

    def __init__(self, command: str, available: Iterable[str]) -> None:
        super().__init__(f'Command not found: "{command}". Available commands: {", ".join(available)}')
