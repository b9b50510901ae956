"""What can be wrong with skills."""

from collections.abc import Iterable

from opencode.core.errors import Invalid


class SkillNotFound(Invalid):
    """No such skill. The message names the ones there are: models read it."""

    name = "UnknownError"

    def __init__(self, skill: str, available: Iterable[str]) -> None:
        super().__init__(f'Skill "{skill}" not found. Available skills: {", ".join(available) or "none"}')


class SkillIndexInvalid(Exception):
    """An index of skills lists something that may not be downloaded."""
