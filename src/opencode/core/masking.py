"""Secrets in settings, and the settings without them: for answers, events and the log."""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "********"
"""What is shown in place of a secret."""

_SECRET_NAME: Final = re.compile(r"key$|token$|secret|passw|credential|authorization|cookie", re.IGNORECASE)
_USER_OF_URL: Final = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_ALL_SECRET: Final = frozenset({"environment", "env"})
"""Maps of which every value may be a secret, whatever its name."""
_OPEN_HEADERS: Final = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "http-referer",
        "openai-beta",
        "user-agent",
        "x-cerebras-3rd-party-integration",
        "x-title",
    }
)
"""Headers that say nothing about who asks; of all others nobody knows."""


def masked(value: Any, name: str = "") -> Any:
    """A setting of that name with every secret in it replaced; what is empty stays empty."""
    match value:
        case str():
            shown = MASK if _SECRET_NAME.search(name) else without_user(value)
            return shown if value else value
        case dict() if name == "headers":
            return masked_headers(value)
        case dict() if name in _ALL_SECRET:
            return {key: MASK if item and isinstance(item, str) else item for key, item in value.items()}
        case dict():
            return {key: masked(item, str(key)) for key, item in value.items()}
        case list() | tuple():
            return [masked(item) for item in value]
    return value


def masked_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers; only values that are known to be no secret are shown."""
    return {name: value if name.lower() in _OPEN_HEADERS or not value else MASK for name, value in headers.items()}


def without_user(text: str) -> str:
    """The text with user names and passwords taken out of the URLs in it."""
    return _USER_OF_URL.sub(MASK, text) if "@" in text else text


def without_masked(value: Any) -> Any:
    """A change without what :func:`masked` made up: clients send back what they were shown."""
    if not isinstance(value, dict):
        return value
    return {key: without_masked(item) for key, item in value.items() if not _is_masked(item)}


def _is_masked(value: Any) -> bool:
    return isinstance(value, str) and MASK in value
