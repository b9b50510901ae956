"""The log: where lines come from and how one looks (spec: HTTP layer, section 13).

``LEVEL 2026-01-02T03:04:05 +12ms service=server method=GET path=/session request``: the level, the time in UTC, the
milliseconds since the line before, the tags, the message. Anything may log before or without the set-up, which is
:func:`opencode.core.log_file.configure_logging`; then only warnings appear, on stderr.
"""

import logging
import re
import sys
import time
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

LogLevel = Literal["DEBUG", "INFO", "WARN", "ERROR"]

ROOT: Final = "opencode"
_LEVELS: Final = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}
_NAMES: Final = {number: name for name, number in _LEVELS.items()} | {logging.CRITICAL: "ERROR"}
_TAG_LIMIT: Final = 4_000
_LEVELS_SHOWN: Final = 20
_CAUSE_DEPTH: Final = 10
_HIDDEN: Final = "***"
_SECRET_TAG: Final = re.compile(r"passw|secret|token|api_?key|authorization|cookie|credential", re.IGNORECASE)
_SECRET_TEXT: Final = re.compile(
    r"""(?P<keep>(?:Bearer|Basic)\s+ | auth_token=)[^\s&"',]+
      | (?<=://)[^/\s@]+(?=@)
      | \b(?:sk|pk|rk|ghp|gho|xox[abp])[-_][\w-]{8,}""",
    re.IGNORECASE | re.VERBOSE,
)
_SECRET_HINTS: Final = (
    "bearer", "basic", "auth_token=", "@",
    *(kind + mark for kind in ("sk", "pk", "rk", "ghp", "gho", "xoxa", "xoxb", "xoxp") for mark in "-_"),
)  # fmt: skip
"""One of these stands in whatever ``_SECRET_TEXT`` finds."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PLAIN: Final = re.compile(r'[^\s"=]+')


class Logger:
    """Writes lines of one service. Tags are keyword arguments; tags that are ``None`` are left out."""

    __slots__ = ("_log",)

    def __init__(self, service: str) -> None:
        self._log = logging.getLogger(f"{ROOT}.{service.removeprefix(f'{ROOT}.')}")

    def debug(self, message: str, **tags: Any) -> None:
        self._write(logging.DEBUG, message, tags)

    def info(self, message: str, **tags: Any) -> None:
        self._write(logging.INFO, message, tags)

    def warning(self, message: str, **tags: Any) -> None:
        self._write(logging.WARNING, message, tags)

    def error(self, message: str, **tags: Any) -> None:
        self._write(logging.ERROR, message, tags)

    def exception(self, message: str, **tags: Any) -> None:
        """An error with the traceback of the exception being handled."""
        self._write(logging.ERROR, message, tags, exc_info=True)

    def entry(self, level: LogLevel, message: str, tags: dict[str, Any]) -> None:
        """A line whose level and tags are data, as ``POST /log`` brings them."""
        self._write(_LEVELS[level], message, tags)

    def _write(self, level: int, message: str, tags: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._log.isEnabledFor(level):
            # Not through ``log``: that looks for who called it, and copies the tags into the record one by one.
            found = sys.exc_info() if exc_info else None
            record = logging.LogRecord(self._log.name, level, "", 0, message, (), found)
            record.__dict__["tags"] = tags
            self._log.handle(record)


def get_logger(service: str) -> Logger:
    """The log of a service or module (``__name__``), which is the first tag of its lines."""
    return Logger(service)


class LineFormatter(logging.Formatter):
    """Turns a record into one line, and its traceback into indented lines after it. Secrets are masked."""

    def __init__(self) -> None:
        super().__init__()
        self._previous_ms = int(time.time() * 1000)
        self._second = -1
        self._moment = ""

    def format(self, record: logging.LogRecord) -> str:
        now_ms = int(record.created * 1000)
        since_ms, self._previous_ms = max(0, now_ms - self._previous_ms), now_ms
        tags = {"service": record.name.removeprefix(f"{ROOT}."), **getattr(record, "tags", {})}
        head = f"{_NAMES.get(record.levelno, record.levelname):<5} {self._time(now_ms // 1000)} +{since_ms}ms"
        pieces = [_tag(key, value) for key, value in tags.items() if value is not None]
        line = _printable(" ".join([head, *pieces, record.getMessage()]))
        if record.exc_info:
            line += "\n" + _indented(self.formatException(record.exc_info))
        return without_secrets(line)

    def _time(self, second: int) -> str:
        """In UTC. Lines come many to a second."""
        if second != self._second:
            self._second, self._moment = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return self._moment


def level_number(level: LogLevel) -> int:
    """The stdlib's number of a level."""
    return _LEVELS[level]


def without_secrets(text: str) -> str:
    """The text with what looks like a credential replaced by ``***``."""
    lower = text.lower()
    for hint in _SECRET_HINTS:  # most lines have none, and looking is far cheaper than the pattern
        if hint in lower:
            return _SECRET_TEXT.sub(lambda match: (match["keep"] or "") + _HIDDEN, text)
    return text


def _indented(text: str) -> str:
    return "\n".join(f"    {_printable(line)}" for line in text.splitlines())


def _printable(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _tag(key: str, value: Any) -> str:
    """``key=value``; text with spaces, and what is not text, as JSON. Numbers, such as token counts, are no secrets."""
    key, is_secret = _key(key)
    if isinstance(value, bool | int | float):
        return f"{key}={value}"
    return f"{key}={_HIDDEN}" if is_secret else f"{key}={_value(value)[:_TAG_LIMIT]}"


@lru_cache(256)
def _key(key: str) -> tuple[str, bool]:
    """A tag's name as it is shown, and whether it is that of a secret."""
    key = _quoted(key)
    return key, _SECRET_TAG.search(key) is not None


def _value(value: Any) -> str:
    match value:
        case BaseException():
            return _quoted(_chain(value))
        case str():
            return _quoted(value)
    return msgspec.json.encode(_masked(value), enc_hook=str).decode()


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else msgspec.json.encode(text).decode()


def _masked(value: Any, levels: int = _LEVELS_SHOWN) -> Any:
    """The value with the secrets in its mappings replaced, and without what is nested too deeply to be read."""
    match value:
        case dict() | list() | tuple() if not levels:
            return "..."
        case dict():
            return {
                str(key): _HIDDEN
                if isinstance(item, str) and _SECRET_TAG.search(str(key))
                else _masked(item, levels - 1)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_masked(item, levels - 1) for item in value]
    return value


def _chain(error: BaseException) -> str:
    """The error's message and those of its causes."""
    messages: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(messages) < _CAUSE_DEPTH:
        messages.append(str(cause) or type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return " Caused by: ".join(messages)
