"""Schemas of error answers, by the names operations declare (spec: HTTP 7)."""

from typing import Any

from opencode.http.json_schema import JsonSchema, SchemaWriter

KINDS_OF_FAULT = ["Params", "Headers", "Query", "Body", "Payload"]


def _named(name: str, data: dict[str, JsonSchema]) -> JsonSchema:
    """``{"name", "data": {"message", ...}}``."""
    inner = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}, **data}}
    properties: dict[str, Any] = {"name": {"type": "string", "enum": [name]}, "data": inner}
    return {"type": "object", "required": ["name", "data"], "properties": properties}


def _tagged(tag: str, *required: str, optional: tuple[str, ...] = ()) -> JsonSchema:
    """``{"_tag", ...}``; our answers say more than that."""
    texts = {name: {"type": "string"} for name in (*required, *optional)}
    return {
        "type": "object",
        "properties": {"_tag": {"type": "string", "enum": [tag]}, **texts},
        "required": ["_tag", *required],
    }


SIGN_IN_ERRORS = [
    "BadRequest",
    "ProviderAuthOauthMissing",
    "ProviderAuthOauthCodeMissing",
    "ProviderAuthOauthCallbackFailed",
    "ProviderAuthValidationFailed",
]


def _sign_in() -> JsonSchema:
    """What the operations ``provider.oauth.*`` answer; which fields there are depends on the name."""
    texts = {name: {"type": "string"} for name in ("providerID", "field", "message", "kind")}
    properties: dict[str, Any] = {
        "name": {"type": "string", "enum": SIGN_IN_ERRORS},
        "data": {"type": "object", "properties": texts},
    }
    return {"type": "object", "required": ["name", "data"], "properties": properties}


STATUS_AND_SCHEMA: dict[str, tuple[int, JsonSchema]] = {
    "effect_HttpApiError_BadRequest": (400, _tagged("BadRequest")),
    "InvalidRequestError": (400, _tagged("InvalidRequestError", "message", optional=("kind", "field"))),
    "BadRequestError": (400, _named("BadRequest", {"kind": {"type": "string", "enum": KINDS_OF_FAULT}})),
    "ProviderAuthError1": (400, _sign_in()),
    "NotFoundError": (404, _named("NotFoundError", {})),
    "PermissionNotFoundError": (404, _tagged("PermissionNotFoundError", "requestID", "message")),
    "QuestionNotFoundError": (404, _tagged("QuestionNotFoundError", "requestID", "message")),
    "ProjectNotFoundError": (404, _tagged("ProjectNotFoundError", "projectID", "message")),
    "ConflictError": (409, _named("ConflictError", {})),
    "SessionBusyError": (409, _tagged("SessionBusyError", "sessionID", "message")),
    "effect_HttpApiError_InternalServerError": (500, _tagged("InternalServerError")),
}

DECODING = ("effect_HttpApiError_BadRequest", "InvalidRequestError")
"""What an operation that decodes a body answers when it cannot; the others answer ``BadRequestError``."""


def error_responses(names: tuple[str, ...], *, has_body: bool, writer: SchemaWriter) -> dict[str, Any]:
    """The error answers of an operation by status. ``"BadRequest"`` stands for the two decoding errors."""
    wanted = [name for name in names if name != "BadRequest"]
    if "ProviderAuthError1" not in names:  # which is one of them itself
        wanted += DECODING if has_body or "BadRequest" in names else ("BadRequestError",)
    by_status: dict[int, list[str]] = {}
    for name in wanted:
        by_status.setdefault(STATUS_AND_SCHEMA[name][0], []).append(name)
    return {str(status): _response(group, writer) for status, group in sorted(by_status.items())}


def _response(names: list[str], writer: SchemaWriter) -> dict[str, Any]:
    references = [writer.add(name, STATUS_AND_SCHEMA[name][1]) for name in names]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"description": " | ".join(names), "content": {"application/json": {"schema": schema}}}
