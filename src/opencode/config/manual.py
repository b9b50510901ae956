"""The generated part of the manual: every setting with its kind and its description.

``python -m opencode.config.manual docs/configuration.md`` brings the page up to date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opencode.config.document import Schema, config_components

BEGIN = "<!-- settings: generated from the records, do not edit -->"
END = "<!-- end of settings -->"
_HEADER = ("| Setting | Kind | Meaning |", "| --- | --- | --- |")


def settings_tables() -> str:
    """One table of all top-level settings and one for each part, in Markdown."""
    components = config_components()
    server = components["ServerConfig"]["properties"]
    parts = [
        ("Top level", components["Config"]),
        *_nested(components["Config"]),
        ("`agent.<name>`", components["AgentConfig"]),
        ("`provider.<id>`", components["ProviderConfig"]),
        ("`provider.<id>.options`", components["ProviderConfig"]["properties"]["options"]),
        ("`provider.<id>.models.<id>`", components["ProviderConfig"]["properties"]["models"]["additionalProperties"]),
        ("`mcp.<name>`, a local server", components["McpLocalConfig"]),
        ("`mcp.<name>`, a remote server", components["McpRemoteConfig"]),
        ("`mcp.<name>.oauth`", components["McpOAuthConfig"]),
        ("`lsp.<name>`", _map_of(components["Config"]["properties"]["lsp"])["anyOf"][1]),
        ("`formatter.<name>`", _map_of(components["Config"]["properties"]["formatter"])),
        ("`server`", components["ServerConfig"]),
        ("`server.unattended`", server["unattended"]),
        ("`server.cors`, as an object", server["cors"]["anyOf"][1]),
        ("`server.auth`, tokens", server["auth"]["anyOf"][0]),
        ("`server.auth`, a password", server["auth"]["anyOf"][1]),
        ("`attachment.image`", components["ImageAttachmentConfig"]),
    ]
    return "\n\n".join(f"### {title}\n\n{_table(schema)}" for title, schema in parts) + "\n"


def undocumented_settings() -> list[str]:
    """The rows of the tables that say nothing."""
    return [row for row in settings_tables().splitlines() if row.endswith("|  |")]


def with_settings(page: str) -> str:
    """The page with the tables of this version between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{settings_tables()}\n{END}{after}"


def _nested(config: Schema) -> Iterator[tuple[str, Schema]]:
    """The settings that are records of their own, and maps of such records."""
    for name, schema in config["properties"].items():
        if "properties" in schema and "additionalProperties" in schema and schema["additionalProperties"] is False:
            yield f"`{name}`", schema
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and "properties" in values:
            yield f"`{name}.<name>`", values


def _map_of(schema: Schema) -> Schema:
    """The values of the map among the alternatives."""
    values: Schema = next(
        option["additionalProperties"] for option in schema["anyOf"] if "type" in option and option["type"] == "object"
    )
    return values


def _table(schema: Schema) -> str:
    rows = [f"| `{name}` | {_kind(part)} | {_description(part)} |" for name, part in schema["properties"].items()]
    return "\n".join([*_HEADER, *rows])


def _description(schema: Schema) -> str:
    text = str(schema.get("description", ""))
    if not text and len(schema.get("enum", ())) == 1:
        return "Always this."
    if not text and "$ref" in schema:
        text = str(config_components()[_name(schema)].get("description", ""))
    return " ".join(text.replace("``", "`").split("\n\n")[0].split())


def _kind(schema: Any) -> str:
    """The kind of a value in a few words, for a table cell."""
    match schema:
        case {"$ref": _}:
            return f"`{_name(schema)}`"
        case {"anyOf": [*options]}:
            return " or ".join(dict.fromkeys(_kind(option) for option in options))
        case {"enum": [*values]}:
            return ", ".join(f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in values)
        case {"type": "array"}:
            return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
        case {"type": "object", "additionalProperties": {}} if schema["additionalProperties"]:
            return f"map of {_kind(schema['additionalProperties'])}"
        case {"type": str(kind)}:
            return kind
        case _:
            return "anything"


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_settings(page.read_text("utf-8")), "utf-8")
