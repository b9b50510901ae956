import asyncio
import errno
from email.utils import formatdate

import pytest

from opencode.core.ids import ProviderID
from opencode.core.wire import encode
from opencode.loop.failures import Retry, message_error, retry_delay, retry_reason
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ProviderAuthFailed, StreamFault
from opencode.session.schema import APIError, APIErrorData, MessageAbortedError, MessageText, UnknownError

NOW_MS = 1_790_000_000_000


def rate_limited(headers: dict[str, str] | None = None) -> APIError:
    record = message_error(ApiCallFailed("slow down", status_code=429, is_retryable=True, headers=headers))
    assert isinstance(record, APIError)
    return record


def delay(attempt: int, headers: dict[str, str] | None, random: float = 0.0) -> float:
    retry = retry_delay(rate_limited(headers), attempt, headers, lambda: random, now_ms=NOW_MS)
    assert retry is not None
    return retry.delay_seconds


# --- records ----------------------------------------------------------------------------------------------------


def test_a_refused_call_keeps_everything_the_provider_said() -> None:
    error = ApiCallFailed(
        "bad key",
        status_code=401,
        headers={"content-type": "application/json"},
        body='{"error": 1}',
        metadata={"url": "http://llm/v1"},
    )
    assert encode(message_error(error)) == (
        b'{"name":"APIError","data":{"message":"bad key","statusCode":401,"isRetryable":false,'
        b'"responseHeaders":{"content-type":"application/json"},"responseBody":"{\\"error\\": 1}",'
        b'"metadata":{"url":"http://llm/v1"}}}'
    )


def test_what_is_unknown_about_a_call_is_left_out() -> None:
    record = encode(message_error(ApiCallFailed("Cannot connect to API", is_retryable=True)))
    assert record == b'{"name":"APIError","data":{"message":"Cannot connect to API","isRetryable":true}}'


def test_missing_credentials_name_the_provider() -> None:
    record = encode(message_error(ProviderAuthFailed(ProviderID("acme"), "no key")))
    assert record == b'{"name":"ProviderAuthError","data":{"providerID":"acme","message":"no key"}}'


def test_an_overlong_history_has_its_own_name() -> None:
    record = encode(message_error(ContextOverflow("prompt is too long", "body")))
    assert record == b'{"name":"ContextOverflowError","data":{"message":"prompt is too long","responseBody":"body"}}'


def test_cancellation_is_an_abort() -> None:
    record = message_error(asyncio.CancelledError())
    assert isinstance(record, MessageAbortedError)
    assert record.data.message == "Aborted"


def test_a_reset_connection_is_worth_another_try() -> None:
    record = message_error(ConnectionResetError(104, "Connection reset by peer"))
    assert isinstance(record, APIError)
    assert (record.data.message, record.data.is_retryable) == ("Connection reset by server", True)
    assert record.data.metadata == {"code": "ECONNRESET", "message": "[Errno 104] Connection reset by peer"}


def test_any_other_exception_is_unknown_with_its_text_or_its_kind() -> None:
    texts = [message_error(error) for error in (StreamFault("odd"), ValueError("no"), KeyError())]
    assert [record.data.message for record in texts if isinstance(record, UnknownError)] == ["odd", "no", "KeyError"]


def test_a_group_of_one_is_that_one() -> None:
    group = BaseExceptionGroup("tasks", [ExceptionGroup("inner", [ApiCallFailed("boom", status_code=500)])])
    record = message_error(group)
    assert isinstance(record, APIError)
    assert record.data.message == "boom"


# --- retry ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApiCallFailed("slow down", status_code=429, is_retryable=True), "slow down"),
        (ApiCallFailed("boom", status_code=500), "boom"),
        (ApiCallFailed("Overloaded", status_code=503, is_retryable=True), "Provider is overloaded"),
        (ApiCallFailed("odd", body='{"error": {"type": "rate_limit_error"}}', status_code=400), "odd"),
        (
            ApiCallFailed("no", body="FreeUsageLimitError", status_code=429, is_retryable=True),
            "The usage limit of this plan is reached",
        ),
        (StreamFault('{"code":"resource_exhausted"}'), "Provider is overloaded"),
        (StreamFault('{"type":"error","error":{"type":"too_many_requests"}}'), "Too Many Requests"),
        (StreamFault("fetch failed"), "fetch failed"),
    ],
)
def test_passing_troubles_are_tried_again(error: Exception, reason: str) -> None:
    assert retry_reason(message_error(error)) == reason


@pytest.mark.parametrize(
    "error",
    [
        ApiCallFailed("bad key", status_code=401),
        ApiCallFailed("Scripted", status_code=400, body='{"detail": "at most 500 items"}'),
        ApiCallFailed("quota", status_code=429, is_retryable=True, body='{"error":{"code":"insufficient_quota"}}'),
        ContextOverflow("prompt is too long: 500000 tokens"),
        ProviderAuthFailed(ProviderID("acme"), "no key"),
        ValueError("a bug"),
        asyncio.CancelledError(),
    ],
)
def test_lasting_troubles_and_aborts_are_not(error: BaseException) -> None:
    assert retry_reason(message_error(error)) is None


def test_five_retries_are_the_limit() -> None:
    assert retry_delay(rate_limited(), 5, None, lambda: 0, now_ms=NOW_MS) == Retry("slow down", 30)
    assert retry_delay(rate_limited(), 6, None, lambda: 0, now_ms=NOW_MS) is None


def test_without_an_answer_the_delay_doubles_up_to_thirty_seconds() -> None:
    assert [delay(attempt, None) for attempt in (1, 2, 3, 4, 5)] == [2, 4, 8, 16, 30]


def test_jitter_adds_at_most_a_quarter_and_stays_below_the_cap() -> None:
    assert [delay(attempt, None, random=1.0) for attempt in (1, 2, 5)] == [2.5, 5, 30]


def test_an_answer_without_a_wish_allows_longer_delays() -> None:
    assert delay(5, {"content-type": "text/html"}) == 32


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "300"}, 0.3),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": formatdate(NOW_MS / 1000 + 20, usegmt=True)}, 20),
        ({"retry-after": formatdate(NOW_MS / 1000 - 20, usegmt=True)}, 2),
        ({"retry-after": "soon"}, 2),
        ({"retry-after": "-5"}, 2),
        ({"retry-after": "nan"}, 2),
        ({"retry-after": "99999999999"}, (2**31 - 1) / 1000),
    ],
)
def test_the_provider_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert delay(1, headers) == seconds


@pytest.mark.parametrize(
    ("failure", "message", "code"),
    [
        (ConnectionResetError(), "Connection reset by server", "ECONNRESET"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "Connection reset by server", "ECONNREFUSED"),
        (TimeoutError("too slow"), "The model did not answer in time", "ETIMEDOUT"),
    ],
)
def test_a_broken_connection_is_told_with_its_code_and_may_pass(failure: OSError, message: str, code: str) -> None:
    error = message_error(failure)
    metadata = {"code": code, "message": str(failure)}
    assert error == APIError(data=APIErrorData(message=message, is_retryable=True, metadata=metadata))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"type": "too_many_requests"}', "Too Many Requests"),
        ('{"code": "rate_limit_exceeded"}', "Rate Limited"),
        ('{"status": "RESOURCE_EXHAUSTED"}', "Provider is overloaded"),
        ('{"status": "Unavailable"}', "Provider is overloaded"),
        ('{"error": "server_error"}', '{"error": "server_error"}'),
        ('["rate_limit"]', '["rate_limit"]'),
    ],
)
def test_an_error_that_came_as_json_is_told_in_words(text: str, told: str) -> None:
    assert retry_reason(UnknownError(data=MessageText(message=text))) == told


@pytest.mark.parametrize(("after", "seconds"), [("0", 0), ("0.5", 0.5), ("7", 7)])
def test_a_provider_may_ask_for_a_short_wait_or_none(after: str, seconds: float) -> None:
    assert delay(1, {"Retry-After": after}) == seconds
    assert delay(1, {"retry-after-ms": after}) == float(after) / 1000
