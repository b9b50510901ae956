"""What can be wrong with the name of an agent."""

from collections.abc import Iterable

from opencode.core.errors import Invalid


class AgentNotFound(Invalid):
    """No such agent. The message names the ones there are: it is shown to people and to models."""

    name = "UnknownError"

    def __init__(self, agent: str, available: Iterable[str]) -> None:
        super().__init__(f'Agent not found: "{agent}". Available agents: {", ".join(available)}')


class NoDefaultAgent(Invalid):
    """No agent can answer a prompt that names none."""

    name = "UnknownError"
