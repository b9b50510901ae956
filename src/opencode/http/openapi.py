"""The OpenAPI document, generated from the operations (spec: HTTP 8; design: one operation table)."""

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from opencode.config.document import config_components
from opencode.http.components import COMPONENTS, REFERRED, event_components
from opencode.http.documented_errors import error_responses
from opencode.http.json_schema import SchemaWriter
from opencode.http.operation import Operation

TITLE = "opencode"
VERSION = "1.0.0"
DESCRIPTION = "opencode api"

_DIRECTORY = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "required": False}
    for name in ("directory", "workspace")
]


def openapi_document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document; operations that are not listed are left out."""
    writer = SchemaWriter(COMPONENTS, REFERRED, config_components())
    event_components(writer)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        if operation.listed:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, writer)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": writer.components},
        "security": [],
        "tags": [],
    }


def _operation(operation: Operation, writer: SchemaWriter) -> dict[str, Any]:
    document: dict[str, Any] = {
        "tags": [operation.path.split("/")[1]],
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": _parameters(operation, writer),
        "responses": {
            str(operation.status): _success(operation, writer),
            **error_responses(operation.errors, has_body=operation.body is not None, writer=writer),
        },
    }
    if operation.body_type is not None:
        document["requestBody"] = {"content": {"application/json": {"schema": writer.schema(operation.body_type)}}}
    return document


def _parameters(operation: Operation, writer: SchemaWriter) -> list[dict[str, Any]]:
    hints = inspect.get_annotations(operation.handler)
    parameters: list[dict[str, Any]] = [
        {"name": parameter.name, "in": "path", "schema": writer.schema(hints[parameter.argument]), "required": True}
        for parameter in operation.parameters
    ]
    if operation.scope != "global":
        parameters += _DIRECTORY
    if operation.query_type is None:
        return parameters
    given = {parameter["name"] for parameter in parameters}
    for field in msgspec.structs.fields(operation.query_type):
        if field.encode_name not in given:
            schema = writer.schema(field.type)
            parameters.append({"name": field.encode_name, "in": "query", "schema": schema, "required": field.required})
    return parameters


def _success(operation: Operation, writer: SchemaWriter) -> dict[str, Any]:
    if operation.status == 204:
        return {"description": "Done"}
    schema = writer.schema(operation.answer)
    return {"description": "Success", "content": {operation.content_type: {"schema": schema}}}
