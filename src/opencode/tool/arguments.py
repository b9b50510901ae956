"""What the model may pass to a tool: the JSON schema it is shown, and the check of what it sent."""

import re
from typing import Any, TypeVar

import msgspec

from opencode.core.wire import Wire, encode
from opencode.tool.tool import ToolError

P = TypeVar("P", bound=Wire)

SAFE_INTEGER = 2**53 - 1
_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>\$[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_WRONG_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`(?:, got `[^`]*`)?")
_LIMIT = re.compile(r"Expected `(?:int|float)` (?P<sign>[<>]=?) (?P<limit>\S+)")
_ENUM = re.compile(r"Invalid enum value .*")
_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "null": "null"}
_SIGNS = {">": "greater than", ">=": "greater than or equal to", "<": "less than", "<=": "less than or equal to"}


def parameters_schema(params: type[Wire]) -> dict[str, Any]:
    """The JSON schema of a tool's parameters: no references, no titles, integers within what JavaScript can hold."""
    schemas, components = msgspec.json.schema_components([params], ref_template="{name}")
    schema = _plain(schemas[0], components)
    assert isinstance(schema, dict)
    return {"type": "object", "properties": schema.get("properties", {}), "required": schema.get("required", [])}


def check_arguments(tool_id: str, params: type[P], arguments: Any) -> P:
    """The typed arguments. Numbers, booleans and lists that the model wrote as strings are understood.

    Raises ``ToolError`` that names the tool, the fault and its place, and asks for another try.
    """
    try:
        return msgspec.convert(arguments, params, strict=False)
    except msgspec.ValidationError as error:
        unpacked = _unpacked(arguments)
        if unpacked is not None:
            try:
                return msgspec.convert(unpacked, params, strict=False)
            except msgspec.ValidationError:
                pass
        fault = _fault(str(error), arguments, params)
        raise ToolError(
            f"The {tool_id} tool was called with invalid arguments: SchemaError({fault})."
            "\nPlease rewrite the input so it satisfies the expected schema."
        ) from None


def _plain(schema: Any, components: dict[str, Any]) -> Any:
    """A schema with its references replaced by what they name."""
    if isinstance(schema, list):
        return [_plain(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(components[schema["$ref"]], components)
    plain = {key: _plain(value, components) for key, value in schema.items()}
    if "properties" in schema:
        plain = {
            "properties": {name: _plain(value, components) for name, value in schema["properties"].items()},
            **plain,
        }
    plain.pop("title", None)
    if plain.get("type") == "object" and "properties" in plain:
        plain.pop("description", None)
    if "enum" in plain and all(isinstance(value, str) for value in plain["enum"]):
        plain = {"type": "string", **plain}
    if plain.get("type") == "integer":
        plain.setdefault("minimum", -SAFE_INTEGER)
        plain.setdefault("maximum", SAFE_INTEGER)
    return plain


def _unpacked(arguments: Any) -> dict[str, Any] | None:
    """The same with lists and objects that were sent as JSON text; None when there is no such thing."""
    if not isinstance(arguments, dict):
        return None
    unpacked = {name: _from_text(value) for name, value in arguments.items()}
    return unpacked if unpacked != arguments else None


def _from_text(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _fault(message: str, arguments: Any, params: type[Wire]) -> str:
    """The fault in the words clients know: what was expected, what was there, and where."""
    place = _PLACE.fullmatch(message)
    assert place is not None
    problem = place["problem"]
    path: list[str | int] = [
        step["name"] if step["index"] is None else int(step["index"]) for step in _STEP.finditer(place["path"] or "$")
    ]
    if missing := _MISSING.fullmatch(problem):
        return _at("Missing key", [*path, missing["name"]])
    got = encode(_value_at(arguments, path)).decode()
    if limit := _LIMIT.fullmatch(problem):
        return _at(f"Expected a value {_limit_words(limit, path, params)}, got {got}", path)
    if wrong := _WRONG_TYPE.fullmatch(problem):
        wanted = " | ".join(_NAMES.get(name, name) for name in wrong["wanted"].split(" | "))
        return _at(f"Expected {wanted}, got {got}", path)
    if _ENUM.fullmatch(problem):
        wanted = " | ".join(encode(value).decode() for value in _schema_at(path, params).get("enum", []))
        return _at(f"Expected {wanted}, got {got}", path)
    return _at(problem, path)


def _limit_words(limit: re.Match[str], path: list[str | int], params: type[Wire]) -> str:
    # An exclusive bound of an integer is reported as the next integer.
    schema = _schema_at(path, params)
    for key, sign in (("exclusiveMinimum", ">"), ("exclusiveMaximum", "<")):
        if key in schema and limit["sign"].startswith(sign):
            return f"{_SIGNS[sign]} {schema[key]}"
    return f"{_SIGNS[limit['sign']]} {limit['limit']}"


def _at(problem: str, path: list[str | int]) -> str:
    return problem + (f"\n  at {''.join(f'[{encode(step).decode()}]' for step in path)}" if path else "")


def _value_at(arguments: Any, path: list[str | int]) -> Any:
    for step in path:
        arguments = arguments[step]
    return arguments


def _schema_at(path: list[str | int], params: type[Wire]) -> dict[str, Any]:
    schema: Any = parameters_schema(params)
    for step in path:
        schema = schema.get("items", {}) if isinstance(step, int) else schema.get("properties", {}).get(step, {})
    return dict(schema)
