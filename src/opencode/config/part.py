"""What the parts of a configuration have in common: the strict base and the plain kinds of value."""

from typing import Annotated, Any

from msgspec import Meta

from opencode.core.wire import UnsetType, Wire

Number = int | float
Positive = Annotated[int, Meta(gt=0)]
NotNegative = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, le=10 * 365 * 24 * 3600)]
"""A length of time, of ten years at most: a sum with it is still a date."""
Text = str | UnsetType
Flag = bool | UnsetType
Strings = list[str] | UnsetType
StringMap = dict[str, str] | UnsetType


def component(name: str) -> dict[str, str]:
    """The reference to a named schema of the API document."""
    return {"$ref": f"#/components/schemas/{name}"}


def alternatives(*schemas: dict[str, Any]) -> dict[str, Any]:
    """For ``Meta(extra_json_schema=...)``: the value is one of these, which types cannot say as exactly."""
    return {"x-any-of": list(schemas)}


def same_as(schema: dict[str, Any]) -> dict[str, Any]:
    """For ``Meta(extra_json_schema=...)``: the value is checked as that record, and kept as it was written."""
    return {"x-same-as": schema}


class ConfigPart(Wire, rename={}, forbid_unknown_fields=True):
    """Base of the parts: strict, with field names as they stand in files."""
