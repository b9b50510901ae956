"""JSON schemas of our types, in the shape of the official document.

Named types become ``$ref``, all others stand where they are used; unions are ``anyOf`` without discriminator, tags
and literals are ``enum``, and what may be absent is left out of ``required``. (``msgspec.json.schema_components``
names every struct and inlines every union: the other way round.)
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import UnsetType

from opencode.core.wire import Wire
from opencode.http.decoding import bare_type

JsonSchema = dict[str, Any]

EMPTY: Mapping[str, Any] = MappingProxyType({})

_PLAIN: dict[Any, JsonSchema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
    bytes: {"type": "string"},
}
_LITERALS: dict[type, str] = {str: "string", bool: "boolean", int: "integer"}
_STANDALONE = {"anyOf", "$ref", "type"}
"""A schema that a type brings with one of these says everything; with others it only adds to what is written."""

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "pattern": "pattern"}


class SchemaWriter:
    """Writes schemas and remembers which named ones they need.

    ``names`` maps a component name to its type; ``components`` holds those met so far. The types of ``referred`` go
    by their name only where an annotation says so. ``prepared`` has schemas that are made elsewhere. Fields with a
    default are required: answers always have them.
    """

    def __init__(
        self, names: Mapping[str, Any], referred: Mapping[str, Any] = EMPTY, prepared: Mapping[str, JsonSchema] = EMPTY
    ) -> None:
        types = {name: bare_type(kind)[0] for name, kind in names.items()}
        self._types = {**types, **referred}
        self._name_of = {kind: name for name, kind in types.items()}
        self._prepared = prepared
        self.components: dict[str, JsonSchema] = {}

    def schema(self, hint: Any) -> JsonSchema:
        """The schema of a type: a reference where it has a name."""
        kind, metas = bare_type(hint)
        given = next((dict(meta.extra_json_schema) for meta in metas if meta.extra_json_schema), {})
        if _STANDALONE & given.keys():
            return self._given(given)
        name = self._name_of.get(kind) if _is_hashable(kind) else None
        if name is not None:
            return self._named(name)
        return {**_with_constraints(self._written(kind), metas), **given}

    def _named(self, name: str) -> JsonSchema:
        if name not in self.components:
            self.components[name] = {}  # met again while it is being written: a cycle
            prepared = self._prepared.get(name)
            self.components[name] = self._written(self._types[name]) if prepared is None else self._given(prepared)
        return self.ref(name)

    def _given(self, schema: JsonSchema) -> JsonSchema:
        """A schema that the type brings itself; the names it refers to are written too."""
        for name in _references(schema):
            if name in self._types or name in self._prepared:
                self._named(name)
        return schema

    def add(self, name: str, schema: JsonSchema) -> JsonSchema:
        """Remembers a schema that has no type of its own; gives the reference to it."""
        self.components[name] = schema
        return self.ref(name)

    @staticmethod
    def ref(name: str) -> JsonSchema:
        """The reference to a component."""
        return {"$ref": f"#/components/schemas/{name}"}

    def _written(self, kind: Any) -> JsonSchema:
        if kind in (Any, object):
            return {}
        if isinstance(kind, type) and kind in _PLAIN:
            return dict(_PLAIN[kind])
        if isinstance(kind, type) and issubclass(kind, Wire):
            return self._record(kind)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"type": _LITERALS[type(arguments[0])], "enum": list(arguments)}
        if origin in (Union, UnionType):
            return self._union(arguments)
        if origin is tuple and ... not in arguments:
            return {"type": "array", "prefixItems": [self.schema(item) for item in arguments]}
        if origin in (list, tuple, frozenset, set):
            return {"type": "array", "items": self.schema(arguments[0])}
        if origin in (dict, Mapping):
            return self._mapping(arguments[1])
        raise TypeError(f"no schema for {kind!r}")

    def _record(self, kind: type[Wire]) -> JsonSchema:
        config = kind.__struct_config__
        properties: dict[str, JsonSchema] = {}
        required: list[str] = []
        if config.tag_field is not None:
            properties[config.tag_field] = {"type": "string", "enum": [config.tag]}
            required.append(config.tag_field)
        for field in msgspec.structs.fields(kind):
            properties[field.encode_name] = self.schema(field.type)
            if field.required or not (UnsetType in get_args(field.type) or field.default is None):
                required.append(field.encode_name)
        schema: JsonSchema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        return {**schema, "additionalProperties": False}

    def _union(self, options: tuple[Any, ...]) -> JsonSchema:
        if set(options) == {int, float}:
            return {"type": "number"}
        if {int, float} <= set(options):
            options = tuple(option for option in options if option is not int)
        return {"anyOf": [self.schema(option) for option in options]}

    def _mapping(self, value: Any) -> JsonSchema:
        if value in (Any, object):
            return {"type": "object"}
        return {"type": "object", "additionalProperties": self.schema(value)}


def _with_constraints(schema: JsonSchema, metas: tuple[msgspec.Meta, ...]) -> JsonSchema:
    for meta in metas:
        for attribute, keyword in _BOUNDS.items():
            if (value := getattr(meta, attribute)) is not None:
                schema[keyword] = value
    return schema


def _references(schema: Any) -> Iterator[str]:
    match schema:
        case {"$ref": str(reference)}:
            yield reference.rpartition("/")[2]
        case dict():
            for value in schema.values():
                yield from _references(value)
        case list():
            for value in schema:
                yield from _references(value)


def _is_hashable(kind: Any) -> bool:
    try:
        hash(kind)
    except TypeError:
        return False
    return True
