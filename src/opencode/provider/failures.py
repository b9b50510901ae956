"""From what providers and sockets say to our typed errors (spec: LLM and errors, 4.1 to 4.3)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from opencode.provider.errors import ApiCallFailed, ContextOverflow, ModelCallError, StreamFault

OVERFLOW = re.compile(
    "|".join(
        (
            r"prompt is too long",
            r"input is too long for requested model",
            r"exceeds the context window",
            r"input token count.*exceeds the maximum",
            r"maximum prompt length is \d+",
            r"reduce the length of the messages",
            r"maximum context length is \d+ tokens",
            r"exceeds the limit of \d+",
            r"exceeds the available context size",
            r"greater than the context length",
            r"context window exceeds limit",
            r"exceeded model token limit",
            r"context[_ ]length[_ ]exceeded",
            r"request_too_large",
            r"request entity too large",
            r"longer than the model'?s context length",
            r"exceeds maximum allowed input length",
            r"model_context_window_exceeded",
            r"too many tokens",
            r"token limit exceeded",
            r"configured context size",
            r"^(?:400|413)\s*(?:status code)?\s*\(no body\)",
        )
    ),
    re.IGNORECASE,
)
RATE_LIMIT = re.compile(r"rate.?limit|throttl|too many requests|quota|per minute", re.IGNORECASE)
HOPELESS = re.compile(
    r"""
      insufficient_quota | usage_not_included | invalid_prompt | invalid_api_key
    | billing_(error|hard_limit|not_active) | credit[ ]balance
    | content_policy_violation | content_filter\b | moderation_blocked
    | model_not_(found|available) | \bmodel\b .{0,80} (not[ ]found|not[ ]exist|decommissioned)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What no further try can heal, whatever the status: no money, no such model, a text that is not allowed."""
RETRYABLE_STATUS = {408, 409, 429}
FATAL_CODES = {
    "insufficient_quota": "Quota exceeded. Check your plan and billing details.",
    "usage_not_included": "This plan does not include the use of this model.",
    "invalid_prompt": "The provider refused the prompt as invalid.",
}
FATAL_TYPES = {"invalid_request_error", "authentication_error", "permission_error", "not_found_error", "billing_error"}
HIDDEN_HEADERS = {"set-cookie"}
ENDED_EARLY = "The model's stream ended early: the connection closed before the answer was complete"
RESET = "Connection reset by server"
UNREACHABLE = "Cannot connect to API: Unable to connect. Is the computer able to access the url?"
NOT_JSON = "The provider sent something that is not JSON"


def http_failure(
    *, status: int, reason: str, headers: Mapping[str, str], body: str, url: str, provider_id: str
) -> ModelCallError:
    """The error for an answer with a failing status."""
    said = _json_object(body)
    message = _message(said, reason or _phrase(status), status, body)
    if status == 403 and provider_id.startswith("github-copilot"):
        message = f"{message} (GitHub Copilot refused the credentials: sign in again)"
    if is_overflow(message) or status == 413 or _code(said) == "context_length_exceeded":
        return ContextOverflow(message, body or None)
    may_pass = is_retryable_status(status) or (status == 404 and provider_id.startswith("openai"))
    return ApiCallFailed(
        message,
        status_code=status,
        is_retryable=may_pass and not is_hopeless(message, body),
        headers={name.lower(): value for name, value in headers.items() if name.lower() not in HIDDEN_HEADERS},
        body=body,
        metadata={"url": url},
    )


def is_retryable_status(status: int) -> bool:
    """Whether a request that was answered so may succeed when it is sent again."""
    return status in RETRYABLE_STATUS or status >= 500


def is_hopeless(*texts: str) -> bool:
    """Whether a provider says something that the same request will meet again."""
    return any(HOPELESS.search(text) for text in texts)


def stream_failure(error: Any) -> ModelCallError:
    """The error for an error event of the newer wires: ``{"type": "error", "error": {...}}`` or its inner part."""
    inner = error.get("error") if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    if not isinstance(inner, dict):
        return StreamFault(_text(error))
    message = str(inner.get("message") or _text(inner))
    code = str(inner.get("code") or "")
    if code == "context_length_exceeded" or is_overflow(message):
        return ContextOverflow(message, _text(error))
    if code in FATAL_CODES:
        return ApiCallFailed(FATAL_CODES[code], is_retryable=False, body=_text(error))
    body = _text(error)
    may_pass = inner.get("type") not in FATAL_TYPES and not is_hopeless(message, body)
    return ApiCallFailed(message, is_retryable=may_pass, body=body)


def chunk_failure(error: Any) -> ModelCallError:
    """The error for an ``error`` field in a chunk of Chat Completions, which has no type of its own."""
    if isinstance(error, dict):
        code = str(error.get("code") or "")
        message = str(error.get("message") or "")
        if code in FATAL_CODES or code == "context_length_exceeded" or is_overflow(message):
            return stream_failure(error)
    return StreamFault(_text(error))


def json_error(body: bytes) -> Any:
    """The ``error`` of a body that is one JSON object instead of a stream; None when it is something else."""
    said = _json_object(body.decode("utf-8", "replace"))
    return said.get("error") if said else None


def not_a_stream(content_type: str, body: bytes) -> ModelCallError:
    """The error for a page or a document in place of an answer: a proxy, a login page, a wrong address."""
    if (said := json_error(body)) is not None:
        return stream_failure(said)
    kind = content_type.partition(";")[0].strip() or "something"
    return ApiCallFailed(
        f"The provider answered with {kind} in place of a stream: check its address and what lies between",
        status_code=200,
        body=body.decode("utf-8", "replace"),
        metadata={"code": "NOT_A_STREAM"},
    )


def ended_early() -> ApiCallFailed:
    """The error for a stream that stopped without saying that it is complete."""
    return ApiCallFailed(ENDED_EARLY, is_retryable=True, metadata={"code": "STREAM_ENDED", "message": ENDED_EARLY})


def connection_failure(error: Exception, *, answered: bool) -> ApiCallFailed:
    """The error for a broken or impossible connection; ``answered``: the provider had begun to answer."""
    message = RESET if answered else UNREACHABLE
    code = "ECONNRESET" if answered else "ConnectionRefused"
    return ApiCallFailed(message, is_retryable=True, metadata={"code": code, "syscall": "", "message": repr(error)})


def timeout_failure(what: str, seconds: float | None) -> ApiCallFailed:
    """The error for a provider that keeps us waiting."""
    milliseconds = int((seconds or 0) * 1000)
    return ApiCallFailed(
        f"{what} did not come within {milliseconds} ms",
        is_retryable=True,
        metadata={"code": "TIMEOUT", "timeoutMs": str(milliseconds)},
    )


def is_overflow(message: str) -> bool:
    """Whether a provider's text says that the request is too long, and not that there are too many of them."""
    return bool(OVERFLOW.search(message)) and not RATE_LIMIT.search(message)


def _message(said: dict[str, Any] | None, reason: str, status: int, body: str) -> str:
    error = said.get("error") if said else None
    if isinstance(error, dict) and isinstance(error.get("message"), str) and error["message"]:
        return str(error["message"])
    if reason != _phrase(status):
        return reason
    return f"{reason}{_addition(said, error, status, body)}"


def _addition(said: dict[str, Any] | None, error: Any, status: int, body: str) -> str:
    """What is added to a bare status phrase."""
    if said:
        text = said.get("message") or (error if isinstance(error, str) else None)
        if isinstance(text, str):
            return f": {text}"
    if re.match(r"\s*<(?:!doctype|html)", body, re.IGNORECASE):
        gateway = status in (401, 403)
        return ": a gateway or proxy in front of the provider answered; check your credentials" if gateway else ""
    return f": {body}" if body.strip() else ""


def _json_object(body: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def _code(said: dict[str, Any] | None) -> Any:
    error = said.get("error") if said else None
    return error.get("code") if isinstance(error, dict) else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown error"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
