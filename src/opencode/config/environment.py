"""The process environment, read once at start and passed down (spec: CLI, section 6)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

OF_THE_SERVER = frozenset({"OPENCODE_SERVER_PASSWORD", "OPENCODE_AUTH_CONTENT"})
TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Environment:
    """A typed view of environment variables. Nothing below the command line reads ``os.environ``."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_process(cls) -> "Environment":
        """A copy of what this process was started with."""
        return cls(dict(os.environ))

    def get(self, name: str) -> str | None:
        """The value, or None when the variable is unset or empty."""
        return self.values.get(name) or None

    def for_commands(self) -> dict[str, str]:
        """What commands of the model and of projects inherit: everything but what opens this server to them."""
        return {name: value for name, value in self.values.items() if name not in OF_THE_SERVER}

    def flag(self, name: str) -> bool:
        """Whether the variable is ``true`` or ``1``, in any case."""
        return self.values.get(name, "").lower() in TRUE

    def experimental(self, name: str) -> bool:
        """A flag that ``OPENCODE_EXPERIMENTAL`` switches on as well."""
        return self.flag(name) or self.flag("OPENCODE_EXPERIMENTAL")

    def positive(self, name: str) -> int | None:
        """The value as a whole number above 0; None when it is not one."""
        text = self.values.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
