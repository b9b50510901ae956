"""Tool schemas as Gemini takes them: a part of OpenAPI 3.0, not JSON Schema (spec: providers, section 9)."""

from typing import Any

Json = dict[str, Any]

KEPT = ("title", "description", "format", "nullable", "minItems", "maxItems", "minimum", "maximum", "minLength",
        "maxLength", "pattern")  # fmt: skip


def google_schema(schema: Any) -> Json:
    """The schema with what Gemini refuses rewritten or left out; what it cannot say stands in no other place."""
    if not isinstance(schema, dict):
        return {}
    made: Json = {key: schema[key] for key in KEPT if key in schema}
    kind = _type(schema, made)
    if kind is not None:
        made["type"] = kind
    choices = (
        schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else None
    )
    if choices is not None:
        made |= {"type": "string", "enum": [str(choice) for choice in choices]}
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if isinstance(options, list):
        _choose(made, options)
    if kind == "array":
        made["items"] = google_schema(schema.get("items")) or {"type": "string"}
    if kind == "object":
        _properties(made, schema)
    return made


def _type(schema: Json, made: Json) -> str | None:
    """The one type; ``null`` beside it becomes ``nullable``."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [name for name in kind if name != "null"]
        if len(kinds) < len(kind):
            made["nullable"] = True
        if len(kinds) > 1:
            made["anyOf"] = [{"type": name} for name in kinds]
            return None
        kind = kinds[0] if kinds else None
    if kind is None and isinstance(schema.get("properties"), dict):
        return "object"
    return kind if isinstance(kind, str) else None


def _choose(made: Json, options: list[Any]) -> None:
    kept = [google_schema(option) for option in options if option != {"type": "null"}]
    if len(kept) < len(options):
        made["nullable"] = True
    if len(kept) == 1:
        made |= kept[0]
    else:
        made["anyOf"] = kept


def _properties(made: Json, schema: Json) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        return
    made["properties"] = {name: google_schema(part) for name, part in properties.items()}
    required = [name for name in schema.get("required") or [] if name in properties]
    if required:
        made["required"] = required
