"""Reading records of other programs and older versions: what they have in common."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from opencode.transfer.errors import Unreadable

T = TypeVar("T")
Raw = Mapping[str, Any]
UNKNOWN: Final = "unknown"


def converted(raw: Any, kind: Any) -> Any:
    """A record of the kind. Raises ``Unreadable`` with the path of the fault."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)) from error


def mapping(value: Any, what: str) -> dict[str, Any]:
    """A copy of a JSON object to change. Raises ``Unreadable``."""
    if not isinstance(value, Mapping):
        raise Unreadable(f"{what} is no object")
    return dict(value)


def without_nulls(raw: Raw) -> dict[str, Any]:
    """Optional fields of ours are absent, those of others may be null."""
    return {key: value for key, value in raw.items() if value is not None}


def whole(raw: Any) -> dict[str, Any]:
    """A record's ``time`` with whole milliseconds; some versions measured finer."""
    if not isinstance(raw, Mapping):
        return {}
    return {key: round(value) if isinstance(value, float) else value for key, value in without_nulls(raw).items()}


def text(value: Any, default: str) -> str:
    """A text, or what stands for a missing one."""
    return value if isinstance(value, str) else default
