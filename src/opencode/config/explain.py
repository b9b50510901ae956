"""Everything that is wrong with a value, place by place: what the decoder's single message does not say."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from opencode.config.errors import Issue
from opencode.core.wire import encode

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class Explainer:
    """Compares values with one set of JSON schemas. ``absent``: how a missing key is called in messages."""

    def __init__(self, components: Mapping[str, Schema], absent: str = "undefined") -> None:
        self._components = components
        self._absent = absent

    def issues(self, value: Any, name: str) -> list[Issue]:
        """All faults of a value that should be the named component, in the order of its keys."""
        found = self._check(value, self._components[name], (), optional=False)
        return [Issue(path=list(path), message=message) for path, message in found]

    def _check(self, value: Any, schema: Schema, path: Path, *, optional: bool) -> Iterator[tuple[Path, str]]:
        schema = self._resolve(schema)
        if "anyOf" in schema:
            yield from self._check_alternatives(value, schema, path, optional=optional)
        elif not _fits_kind(value, schema) or not _fits_limits(value, schema):
            expected = self._describe(schema) + (f" | {self._absent}" if optional else "")
            yield path, f"Expected {expected}, got {_brief(value, schema)}"
        elif isinstance(value, dict):
            yield from self._check_object(value, schema, path)
        elif isinstance(value, list | tuple):
            yield from self._check_array(value, schema, path)

    def _check_alternatives(
        self, value: Any, schema: Schema, path: Path, *, optional: bool
    ) -> Iterator[tuple[Path, str]]:
        alternatives = [self._resolve(alternative) for alternative in schema["anyOf"]]
        faults = [list(self._check(value, alternative, path, optional=False)) for alternative in alternatives]
        if not all(faults):
            return
        tags = [tag for alternative in alternatives for tag in _tags(alternative)]
        if tags and isinstance(value, dict) and "type" in value and value["type"] not in tags:
            yield from self._check(value["type"], {"enum": tags}, (*path, "type"), optional=False)
            return
        # The alternative that was meant: of the value's kind, and with the fewest faults.
        meant = [
            found for found, alternative in zip(faults, alternatives, strict=True) if _is_meant(value, alternative)
        ]
        if meant:
            yield from min(meant, key=len)
            return
        expected = " | ".join(dict.fromkeys(map(self._describe, alternatives)))
        expected += f" | {self._absent}" if optional else ""
        yield path, f"Expected {expected}, got {_brief(value, *alternatives)}"

    def _check_object(self, value: dict[str, Any], schema: Schema, path: Path) -> Iterator[tuple[Path, str]]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        others = schema.get("additionalProperties", {})
        for name in required:
            if name not in value:
                yield (*path, name), f"Expected {self._describe(self._resolve(properties[name]))}, got nothing"
        for key, item in value.items():
            if key in properties:
                yield from self._check(item, properties[key], (*path, key), optional=key not in required)
            elif others is False:
                yield (*path, key), _unknown(key, properties)
            else:
                yield from self._check(item, others, (*path, key), optional=False)

    def _check_array(self, value: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, str]]:
        first = schema.get("prefixItems", ())
        for index, item in enumerate(value):
            expected = first[index] if index < len(first) else schema.get("items", {})
            if isinstance(expected, dict):
                yield from self._check(item, expected, (*path, index), optional=False)

    def _resolve(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return self._resolve(self._components[reference.rsplit("/", 1)[1]]) if reference else schema

    def _describe(self, schema: Schema) -> str:
        """A kind of value in a few words."""
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._describe(self._resolve(option)) for option in schema["anyOf"]))
        if "enum" in schema:
            return " | ".join(encode(option).decode() for option in schema["enum"])
        limits = {"exclusiveMinimum": ">", "minimum": ">=", "maximum": "<=", "pattern": "matching", "minItems": "of"}
        words = [f"{sign} {schema[limit]}" for limit, sign in limits.items() if limit in schema]
        return " ".join([schema.get("type", "anything"), *words])


def _fits_kind(value: Any, schema: Schema) -> bool:
    kind = schema.get("type")
    if kind is None:
        return True
    if isinstance(value, bool):
        return bool(kind == "boolean")
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[kind])


def _fits_limits(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return any(value is option or (type(value) is type(option) and value == option) for option in schema["enum"])
    if isinstance(value, list | tuple):
        return bool(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))
    if isinstance(value, str):
        return "pattern" not in schema or re.search(schema["pattern"], value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        too_low = value < schema.get("minimum", value) or value <= schema.get("exclusiveMinimum", value - 1)
        return not (too_low or bool(value > schema.get("maximum", value)))
    return True


def _is_meant(value: Any, schema: Schema) -> bool:
    """Whether an object or list was meant to be this alternative; a ``type`` in it decides."""
    if not isinstance(value, dict | list | tuple) or not _fits_kind(value, schema) or "type" not in schema:
        return False
    tags = _tags(schema)
    return not (tags and isinstance(value, dict) and "type" in value) or value["type"] in tags


def _tags(schema: Schema) -> list[Any]:
    """The values of ``type`` that mark this alternative."""
    return list(schema.get("properties", {}).get("type", {}).get("enum", ()))


def _brief(value: Any, *schemas: Schema) -> str:
    """The value in a message: text only where one of a few words is expected, as it may hold a secret."""
    if isinstance(value, str) and not any("enum" in schema for schema in schemas):
        return "a string"
    if isinstance(value, dict | list | tuple):
        return "an object" if isinstance(value, dict) else "an array"
    text = encode(value).decode()
    return text if len(text) <= 60 else text[:60] + "..."


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"Unknown key `{key}`" + (f"; did you mean `{near[0]}`?" if near else "")
