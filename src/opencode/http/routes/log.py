"""``/log``: lines of clients in the server's log."""

from typing import Any, Literal

from opencode.core.log import Logger, LogLevel
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.http.operation import operation
from opencode.http.schema import DirectoryQuery

LEVELS: dict[str, LogLevel] = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR"}


class LogEntry(Wire):
    """One line; ``extra`` becomes its tags."""

    service: str
    level: Literal["debug", "info", "error", "warn"]
    message: str
    extra: dict[str, Any] | UnsetType = UNSET


@operation("app.log", "POST", "/log")
async def write_log(query: DirectoryQuery, body: LogEntry) -> bool:
    """Write a line into the server's log."""
    Logger(f"client.{body.service}").entry(LEVELS[body.level], body.message, body.extra or {})
    return True


operations = (write_log,)
