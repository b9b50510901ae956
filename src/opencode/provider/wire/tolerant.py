"""Reading what providers send although JSON does not allow it, and counting what they count."""

import json
import math
from typing import Any, TypeVar

import msgspec

from opencode.provider.errors import StreamFault
from opencode.provider.failures import NOT_JSON
from opencode.provider.request import Metadata

T = TypeVar("T")


def read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """One event of an answer. ``NaN`` and ``Infinity``, which some servers count, are read as nothing.

    Raises ``StreamFault`` for anything else that is not JSON or not of the expected shape.
    """
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        try:
            plain = json.loads(data, parse_constant=lambda _: None)
            return msgspec.convert(plain, decoder.type)
        except (ValueError, RecursionError, msgspec.DecodeError):
            raise StreamFault(f"{NOT_JSON}: {error}") from error


def count(usage: Any, *path: str) -> int:
    """The number at a place of a record of usage; what is missing, negative or no number is 0."""
    value = usage
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(0, int(value))


def copilot_bill(*records: Any) -> Metadata | None:
    """What GitHub Copilot says that the answer cost, from the first of the records that says it."""
    for record in records:
        usage = record.get("copilot_usage") if isinstance(record, dict) else None
        billed = usage.get("total_nano_aiu") if isinstance(usage, dict) else None
        if isinstance(billed, int | float) and not isinstance(billed, bool) and math.isfinite(billed) and billed >= 0:
            return {"copilot": {"totalNanoAiu": billed}}
    return None
