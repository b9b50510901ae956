"""JSON Schemas that others wrote: whether they are schemas, and what is wrong with a value.

Nothing is fetched: a reference that leads out of the schema is a fault of the schema.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

FAULT_LIMIT = 10
PROBLEM_CHARACTERS = 300

Path = tuple[str | int, ...]


class SchemaInvalid(ValueError):
    """This is no JSON Schema. ``path`` leads to the fault in it."""

    def __init__(self, problem: str, path: Path = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path


class JsonSchema:
    """A schema, ready to check values. The draft is the one that ``$schema`` names, 2020-12 without it."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Raises ``SchemaInvalid``."""
        import jsonschema_rs  # takes 40 ms, and few servers are ever given a schema

        try:
            self._validator = jsonschema_rs.validator_for(schema, offline=True)
        except jsonschema_rs.ValidationError as error:
            raise SchemaInvalid(_short(error.message), tuple(error.instance_path)) from None
        except ValueError as error:
            raise SchemaInvalid(_short(str(error))) from None

    def faults(self, value: Any) -> list[str]:
        """What is wrong with a value, each with its place; the first ``FAULT_LIMIT`` only. Empty when it fits."""
        try:
            return list(islice(self._faults(value), FAULT_LIMIT))
        except ValueError as error:  # what cannot be looked through, such as a value that is nested too deep
            return [_short(str(error))]

    def _faults(self, value: Any) -> Iterator[str]:
        for error in self._validator.iter_errors(value):
            yield _short(error.message) + place(error.instance_path)


def place(path: Sequence[str | int]) -> str:
    """Where a fault is, as faults of requests say it; nothing for the whole value."""
    steps = (f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in path)
    return f"\n  at {''.join(steps)}" if path else ""


def _short(text: str) -> str:
    return text if len(text) <= PROBLEM_CHARACTERS else f"{text[:PROBLEM_CHARACTERS]}..."
