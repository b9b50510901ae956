"""Which errors provider texts and statuses become."""

import pytest

from opencode.provider.errors import ApiCallFailed, ContextOverflow
from opencode.provider.failures import http_failure, is_overflow, stream_failure


@pytest.mark.parametrize(
    "text",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "Your input exceeds the context window of this model",
        "The input token count (1000) exceeds the maximum number of tokens allowed",
        "This model's maximum prompt length is 131072",
        "Please reduce the length of the messages or completion",
        "This endpoint's maximum context length is 8192 tokens",
        "prompt token count of 9000 exceeds the limit of 8000",
        "the request exceeds the available context size",
        "input is greater than the context length",
        "context window exceeds limit",
        "exceeded model token limit",
        "context_length_exceeded",
        "Context length exceeded",
        "413 status code (no body)",
        "400 (no body)",
    ],
)
def test_a_too_long_request_is_known_by_its_text(text: str) -> None:
    assert is_overflow(text)


@pytest.mark.parametrize("text", ["Rate limit reached: too many tokens per minute", "The key is too long", "refused"])
def test_other_texts_are_no_overflow(text: str) -> None:
    assert not is_overflow(text)


def test_not_found_may_pass_at_openai_only() -> None:
    def failed(provider_id: str) -> ApiCallFailed:
        error = http_failure(status=404, reason="", headers={}, body="", url="u", provider_id=provider_id)
        assert isinstance(error, ApiCallFailed)
        return error

    assert failed("openai").is_retryable
    assert not failed("other").is_retryable
    assert failed("other").message == "Not Found"


def test_cookies_of_a_provider_are_not_kept() -> None:
    headers = {"Set-Cookie": "session=1", "Retry-After": "2"}
    error = http_failure(status=500, reason="", headers=headers, body="", url="u", provider_id="p")
    assert isinstance(error, ApiCallFailed) and error.headers == {"retry-after": "2"}


@pytest.mark.parametrize("code", ["insufficient_quota", "usage_not_included", "invalid_prompt"])
def test_some_stream_errors_are_final(code: str) -> None:
    error = stream_failure({"type": "error", "error": {"code": code, "message": "m"}})
    assert isinstance(error, ApiCallFailed) and not error.is_retryable


def test_unknown_stream_errors_may_pass() -> None:
    error = stream_failure({"type": "error", "error": {"code": "new", "message": "m"}})
    assert isinstance(error, ApiCallFailed) and error.is_retryable and error.message == "m"
    assert isinstance(stream_failure({"code": "context_length_exceeded", "message": "m"}), ContextOverflow)
