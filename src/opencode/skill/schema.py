"""Skills as they are sent to clients (spec: commands and skills, section 4)."""

from opencode.core.wire import UNSET, UnsetType, Wire


class Skill(Wire):
    """Instructions for one kind of work. ``location``: its file. One without a description is not told to models."""

    name: str
    description: str | UnsetType = UNSET
    location: str
    content: str
