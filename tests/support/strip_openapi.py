"""Reduces an official OpenAPI document to its structure: what generators see, without any prose.

``python tests/support/strip_openapi.py OFFICIAL.json tests/fixtures/openapi/official-VERSION.json``

Keeps the operations outside ``/api`` and the schemas they need.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROSE = frozenset({"description", "title", "summary", "examples", "example", "default", "tags"})
STREAMED = ("Event", "GlobalEvent")
"""Unions of all events, most of them of other APIs; single events are kept."""

MAPS_OF_NAMES = frozenset({"properties", "schemas", "paths", "responses", "content"})


def structure(node: Any, *, names: bool = False) -> Any:
    """The node without prose; under ``names`` the keys are names somebody chose, so all of them stay."""
    if isinstance(node, list):
        return [structure(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key not in PROSE or not isinstance(value, str | list)}
    return {key: structure(value, names=not names and key in MAPS_OF_NAMES) for key, value in kept.items()}


def references(node: Any) -> Iterator[str]:
    """Names of the components a node refers to."""
    match node:
        case {"$ref": str(reference)}:
            yield reference.rpartition("/")[2]
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)


def needed(paths: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that the paths use, directly or through others."""
    found: dict[str, Any] = {}
    waiting = [*references(paths), *(name for name in schemas if is_event(name))]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schemas[name]
            waiting += [] if name in STREAMED else references(schemas[name])
    return {name: schema for name, schema in sorted(found.items()) if name not in STREAMED}


def is_event(name: str) -> bool:
    """Whether a component is an event of the v1 API."""
    return name.startswith("Event") and not name.startswith("EventSessionNext") and name.replace("-", "").isalpha()


def reduce(document: dict[str, Any]) -> dict[str, Any]:
    """Operations and schemas of the v1 API, structure only."""
    paths = {path: methods for path, methods in document["paths"].items() if not path.startswith("/api")}
    paths = structure(paths, names=True)
    schemas = structure(document["components"]["schemas"], names=True)
    return {"openapi": document["openapi"], "paths": paths, "schemas": needed(paths, schemas)}


def main(source: str, target: str) -> None:
    """Write the reduced document, one operation or schema per line."""
    reduced = reduce(json.loads(Path(source).read_text("utf-8")))
    lines = [f'"openapi": {json.dumps(reduced["openapi"])}']
    for title, entries in (("paths", reduced["paths"].items()), ("schemas", reduced["schemas"].items())):
        body = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in entries)
        lines.append(f"{json.dumps(title)}: {{\n{body}\n}}")
    Path(target).write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
