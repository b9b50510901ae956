"""The base of everything that is stored or sent, and the one JSON codec."""

from typing import Any, TypeVar, dataclass_transform

import msgspec
from msgspec import UNSET, StructMeta, UnsetType

__all__ = ["UNSET", "UnsetType", "Wire", "decode", "encode", "replace", "set_or", "wire_name"]

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""JSON bytes of a record (compact, UTF-8)."""
replace = msgspec.structs.replace
"""A copy of a record with some fields changed."""


def wire_name(field: str) -> str:
    """``session_id`` is ``sessionID`` on the wire."""
    head, *rest = field.split("_")
    return head + "".join("ID" if word == "id" else word.capitalize() for word in rest)


# mypy wants the promise on the metaclass and on the base.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class WireMeta(StructMeta):
    """Makes every subclass frozen and keyword-only."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        return super().__new__(mcls, name, bases, namespace, **{"frozen": True, "kw_only": True, **config})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, metaclass=WireMeta, rename=wire_name):
    """Base of everything stored or sent. ``UNSET``: the key is absent. ``None``: the value is null.

    A wire name that does not follow :func:`wire_name` is given with ``msgspec.field(name=...)``.
    """


def decode(data: bytes | str, kind: type[T]) -> T:
    """A record from JSON. Raises ``msgspec.ValidationError`` with the path of the fault."""
    return msgspec.json.decode(data, type=kind)


def set_or(value: Any, default: T) -> Any | T:
    """``value``, or ``default`` when it is ``UNSET``."""
    return default if value is UNSET else value
