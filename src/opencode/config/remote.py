"""Configuration that comes from an organisation's server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """The text of one, as it was fetched. ``source``: from where."""

    source: str
    text: str
