"""The configuration as JSON schemas, made from the records, under the names of the API document."""

from typing import Any

import msgspec

from opencode.config.part import component
from opencode.config.permission_schema import (
    PermissionActionConfig,
    PermissionConfig,
    PermissionObjectConfig,
    PermissionRuleConfig,
)
from opencode.config.provider_schema import ProviderOptions
from opencode.config.schema import Config, LayoutConfig, LogLevel, PolicyEffect
from opencode.config.service_schema import (
    ConfigV2ReferenceGit,
    ConfigV2ReferenceLocal,
    LspDisabledConfig,
    LspServerConfig,
    McpLocalConfig,
    McpRemoteConfig,
)

Schema = dict[str, Any]

# Records that are only named in hand-written alternatives, where the generator cannot see them.
_RECORDS: tuple[Any, ...] = (
    Config,
    ConfigV2ReferenceGit,
    ConfigV2ReferenceLocal,
    LspDisabledConfig,
    LspServerConfig,
    McpLocalConfig,
    McpRemoteConfig,
    ProviderOptions,
)
_UNIONS: dict[str, Any] = {
    "LayoutConfig": LayoutConfig,
    "LogLevel": LogLevel,
    "PermissionActionConfig": PermissionActionConfig,
    "PermissionConfig": PermissionConfig,
    "PermissionObjectConfig": PermissionObjectConfig,
    "PermissionRuleConfig": PermissionRuleConfig,
    "PolicyEffect": PolicyEffect,
}
_NAMED = frozenset(
    {
        *_UNIONS,
        "AgentConfig",
        "AttachmentConfig",
        "Config",
        "ConfigV2ExperimentalPolicy",
        "ConfigV2ReferenceGit",
        "ConfigV2ReferenceLocal",
        "ImageAttachmentConfig",
        "McpLocalConfig",
        "McpOAuthConfig",
        "McpRemoteConfig",
        "ProviderConfig",
        "ServerConfig",
    }
)
_NUMBER = [{"type": "integer"}, {"type": "number"}]
_GENERATED_ONLY = frozenset({"title", "default", "discriminator"})


def config_components() -> dict[str, Schema]:
    """The records and unions of a configuration that have a name in the API document, ``Config`` among them."""
    unions, records = msgspec.json.schema_components(
        (*_UNIONS.values(), *_RECORDS), ref_template=component("{name}")["$ref"]
    )
    generated = {**records, **dict(zip(_UNIONS, unions, strict=False))}
    tidy = {name: _tidy(schema, generated) for name, schema in generated.items()}
    # The name of a Markdown agent is in answers only; elsewhere it is one of the keys that may be added.
    del tidy["AgentConfig"]["properties"]["name"]
    references = [(_bare(tidy[name]), component(name)) for name in _UNIONS]
    return {name: _with_references(tidy[name], references, tidy) for name in tidy if name in _NAMED}


def _with_references(schema: Schema, references: list[tuple[Schema, Schema]], tidy: dict[str, Schema]) -> Schema:
    return {key: _refer(_inline(value, tidy), references) for key, value in schema.items()}


def _inline(schema: Any, components: dict[str, Schema]) -> Any:
    """Records that have no name in the document, where they are used."""
    if isinstance(schema, list):
        return [_inline(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = schema["$ref"].rsplit("/", 1)[1] if isinstance(schema.get("$ref"), str) else None
    if name is None or name in _NAMED:
        return {key: _inline(value, components) for key, value in schema.items()}
    described = {key: value for key, value in schema.items() if key != "$ref"}
    return _inline({**components[name], **described}, components)


def _refer(schema: Any, references: list[tuple[Schema, Schema]]) -> Any:
    """Named unions by reference, which the generator only does for records."""
    if isinstance(schema, list):
        return [_refer(item, references) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bare = _bare(schema)
    for union, reference in references:
        if bare == union:
            return reference
    return {key: _refer(value, references) for key, value in schema.items()}


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}


def _tidy(schema: Any, components: dict[str, Schema]) -> Any:
    """A schema as the document wants it: no titles or defaults, one ``number``, exact alternatives."""
    if not isinstance(schema, dict):
        return schema
    schema = _exact(schema, components)
    tidy = {key: value for key, value in schema.items() if key not in _GENERATED_ONLY}
    for key in ("items", "additionalProperties"):
        if key in tidy:
            tidy[key] = _tidy(tidy[key], components)
    for key in ("anyOf", "prefixItems"):
        if key in tidy:
            tidy[key] = [_tidy(option, components) for option in tidy[key]]
    if "properties" in tidy:
        tidy["properties"] = {name: _tidy(value, components) for name, value in tidy["properties"].items()}
        tidy.setdefault("additionalProperties", {})
    if "prefixItems" in tidy or not tidy.get("required", True):
        # A list of known length says so by its limits; an empty `required` says nothing.
        tidy = {key: value for key, value in tidy.items() if key not in ("items", "required")}
    return tidy


def _exact(schema: Schema, components: dict[str, Schema]) -> Schema:
    """What the record says in its own words takes the place of what was generated."""
    kept = {key: schema[key] for key in ("description",) if key in schema}
    if "x-any-of" in schema:
        return {**kept, "anyOf": schema["x-any-of"]}
    if "x-same-as" in schema:
        name = schema["x-same-as"]["$ref"].rsplit("/", 1)[1]
        return {**components[name], **kept}
    if schema.get("anyOf") == _NUMBER:
        return {**kept, "type": "number"}
    if "enum" in schema and "type" not in schema and all(isinstance(option, str) for option in schema["enum"]):
        return {"type": "string", **schema}
    return schema
