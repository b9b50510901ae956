"""Compares two OpenAPI documents by what a generator of clients makes of them."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.strip_openapi import structure

IGNORED = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "additionalProperties"})
"""Bounds become no types; neither does the promise that there is nothing more than what is listed."""


def shape(node: Any, *, names: bool = False) -> Any:
    """The node without what generators ignore, in one order; TypeScript and JSON know one kind of number."""
    if isinstance(node, list):
        return sorted((shape(item) for item in node), key=json.dumps)
    if not isinstance(node, dict):
        return "number" if node == "integer" else node
    kept = {
        key: shape(value, names=not names and key in ("properties", "responses", "content"))
        for key, value in sorted(node.items())
        if names or key not in IGNORED or isinstance(value, dict)
    }
    return kept if names or kept.get("required") != [] else {k: v for k, v in kept.items() if k != "required"}


def parts(document: dict[str, Any]) -> dict[str, Any]:
    """The document as named pieces: ``session.list parameters``, ``session.list 200``, ``schema Session`` ..."""
    return dict(_parts(document))


def _parts(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            id = operation["operationId"]
            yield f"{id} route", f"{method.upper()} {path}"
            for parameter in operation.get("parameters", []):
                yield f"{id} {parameter['in']} {parameter['name']}", shape(structure(parameter))
            if "requestBody" in operation:
                yield f"{id} body", shape(structure(_schema(operation["requestBody"])))
            for status, answer in operation["responses"].items():
                yield f"{id} {status}", shape(structure(_schema(answer)))
    for name, schema in document["schemas"].items():
        yield f"schema {name}", shape(structure(schema))


def _schema(holder: dict[str, Any]) -> Any:
    """The content types of a body or answer with their schemas."""
    return {kind: content["schema"] for kind, content in holder.get("content", {}).items()}
