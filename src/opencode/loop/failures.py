"""What an exception of a step becomes on the message, and whether to call the model again.

Source: spec "LLM and errors", sections 4.1 and 5.
"""

import asyncio
import errno
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

from opencode.core.rejection import UnansweredFailure
from opencode.core.wire import UNSET, UnsetType, replace, set_or
from opencode.loop.budgets import BudgetSpent
from opencode.provider.errors import ApiCallFailed, ContextOverflow, ProviderAuthFailed
from opencode.provider.failures import is_hopeless
from opencode.session.schema import (
    APIError,
    APIErrorData,
    BudgetExceededError,
    ContextOverflowError,
    ContextOverflowErrorData,
    MessageAbortedError,
    MessageError,
    MessageText,
    ProviderAuthError,
    ProviderAuthErrorData,
    UnansweredError,
    UnknownError,
)

T = TypeVar("T")

MAX_RETRIES = 5
BASE_DELAY_MS = 2_000
MAX_DELAY_MS = 30_000
MAX_DELAY_AFTER_ANSWER_MS = 300_000
MAX_DELAY_ASKED_MS = 2**31 - 1
JITTER = 0.25

_TRANSIENT = re.compile(
    r"""
      (status|code|http|error) [^0-9a-z]{1,12} (429|5\d\d) \b
    | \b (429|5\d\d) \s (too|internal|bad|service|gateway)
    | rate[\s_-]?limit | too[\s_-]many[\s_-]requests
    | overloaded | at[ ]capacity | exhausted | unavailable
    | internal[\s_-]error | server[\s_-]error | bad[ ]gateway
    | fetch[ ]failed | network[ ](error|failure) | socket[ ]hang[ ]up | \b terminated \b
    | connection[ ](reset|refused|closed|lost|error) | (unable[ ]to|cannot)[ ]connect
    | \b E(CONN[A-Z]+|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT) \b
    | timed[\s_-]?out | timeout
    | try[ ]again[ ](later|in|shortly) | retry[ ](later|your[ ]request)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_USAGE_LIMIT = re.compile(r"\b(Free|Go)UsageLimitError\b")


# --- exceptions to records --------------------------------------------------------------------------------------


def aborted() -> MessageAbortedError:
    """The user stopped the message."""
    return MessageAbortedError(data=MessageText(message="Aborted"))


def message_error(error: BaseException) -> MessageError:
    """The record of an exception, as it is stored on the message and sent in ``session.error``."""
    match error:
        case BaseExceptionGroup(exceptions=(only,)):
            return message_error(only)
        case asyncio.CancelledError():
            return aborted()
        case ProviderAuthFailed():
            data = ProviderAuthErrorData(provider_id=error.provider_id, message=error.message)
            return ProviderAuthError(data=data)
        case ContextOverflow():
            return ContextOverflowError(
                data=ContextOverflowErrorData(message=error.message, response_body=_optional(error.body))
            )
        case ApiCallFailed():
            return _api_error(error)
        case BudgetSpent():
            return BudgetExceededError(data=error.data)
        case UnansweredFailure():
            return UnansweredError(data=MessageText(message=str(error)))
        case ConnectionError() | TimeoutError():
            return _broken_connection(error)
        case _:
            return UnknownError(data=MessageText(message=str(error) or type(error).__name__))


def _api_error(error: ApiCallFailed) -> APIError:
    return APIError(
        data=APIErrorData(
            message=error.message,
            status_code=_optional(error.status_code),
            is_retryable=error.is_retryable,
            response_headers=_optional(error.headers),
            response_body=_optional(error.body),
            metadata=error.metadata or UNSET,
        )
    )


def _optional(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _broken_connection(error: OSError) -> APIError:
    """A socket error that no adapter has translated."""
    reset = isinstance(error, ConnectionError)
    code = errno.errorcode.get(error.errno or 0, "ECONNRESET" if reset else "ETIMEDOUT")
    return APIError(
        data=APIErrorData(
            message="Connection reset by server" if reset else "The model did not answer in time",
            is_retryable=True,
            metadata={"code": code, "message": str(error)},
        )
    )


# --- retry ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Retry:
    """Call the model again after ``delay_seconds``; ``message`` tells the user why there is a wait."""

    message: str
    delay_seconds: float


def retry_delay(
    error: MessageError,
    attempt: int,
    headers: Mapping[str, str] | None,
    random: Callable[[], float],
    *,
    now_ms: int,
    most: int = MAX_RETRIES,
) -> Retry | None:
    """Whether and when to try again after failure number ``attempt`` (from 1); None: the step has failed.

    ``most``: how many tries there may be. ``headers`` are those of the provider's answer, None when there was none.
    ``random`` gives numbers in [0, 1).
    """
    if attempt > most:
        return None
    reason = retry_reason(error)
    if reason is None:
        return None
    return Retry(reason, _delay_ms(attempt, headers, random, now_ms) / 1000)


def with_note(error: MessageError, note: str) -> MessageError:
    """The error with a word on why the call is not made again, where there is a place for it."""
    if not isinstance(error, APIError):
        return error
    return replace(error, data=replace(error.data, metadata={**set_or(error.data.metadata, {}), "retry": note}))


def retry_reason(error: MessageError) -> str | None:
    """What to tell the user while waiting; None when another attempt cannot help."""
    match error:
        case APIError(data=data):
            return _api_reason(data)
        case UnknownError(data=MessageText(message=text)):
            return _readable(text) if _TRANSIENT.search(text) and not is_hopeless(text) else None
        case _:
            return None


def _api_reason(data: APIErrorData) -> str | None:
    body = set_or(data.response_body, "")
    if is_hopeless(data.message, body):
        return None
    transient = (
        data.is_retryable
        or set_or(data.status_code, 0) >= 500
        or _TRANSIENT.search(data.message)
        or _TRANSIENT.search(body)
    )
    if not transient:
        return None
    if _USAGE_LIMIT.search(body):
        return "The usage limit of this plan is reached"
    return "Provider is overloaded" if "overloaded" in data.message.lower() else data.message


def _readable(text: str) -> str:
    """A phrase for an error that came as JSON text; other texts as they are."""
    try:
        if not isinstance(json.loads(text), dict):
            return text
    except ValueError:
        return text
    if re.search(r"too_many_requests", text):
        return "Too Many Requests"
    if re.search(r"rate_limit", text):
        return "Rate Limited"
    return "Provider is overloaded" if re.search(r"exhausted|unavailable|overloaded", text, re.IGNORECASE) else text


def _delay_ms(attempt: int, headers: Mapping[str, str] | None, random: Callable[[], float], now_ms: int) -> float:
    """The provider's wish, or exponential back-off with jitter."""
    asked = _asked_delay_ms(headers or {}, now_ms)
    if asked is not None:
        return min(asked, MAX_DELAY_ASKED_MS)
    delay = BASE_DELAY_MS * 2.0 ** (attempt - 1) * (1 + JITTER * random())
    return min(delay, MAX_DELAY_MS if headers is None else MAX_DELAY_AFTER_ANSWER_MS)


def _asked_delay_ms(headers: Mapping[str, str], now_ms: int) -> float | None:
    """What ``retry-after-ms`` or ``retry-after`` (seconds or an HTTP date) says, if it makes sense."""
    lower = {name.lower(): value for name, value in headers.items()}
    milliseconds = _number(lower.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds
    after = lower.get("retry-after")
    seconds = _number(after)
    if seconds is not None:
        return math.ceil(seconds * 1000)
    try:
        wait = parsedate_to_datetime(after).timestamp() * 1000 - now_ms if after else 0
    except ValueError:
        return None
    return wait if wait > 0 else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
