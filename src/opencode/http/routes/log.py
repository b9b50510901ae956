"""``/log``: lines of clients in the server's log."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from opencode.core.log import Logger, LogLevel
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.operation import operation
from opencode.http.schema import DirectoryQuery

LEVELS: dict[str, LogLevel] = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR"}


class LogEntry(Wire):
    """One line; ``extra`` becomes its tags."""

    service: str
    level: Annotated[
        Literal["debug", "info", "error", "warn", "DEBUG", "INFO", "ERROR", "WARN"],
        Meta(extra_json_schema={"type": "string", "enum": ["debug", "info", "error", "warn"]}),
    ]
    message: str
    extra: dict[str, Any] | UnsetType = UNSET


@operation("app.log", "POST", "/log")
def write_log(query: DirectoryQuery, body: LogEntry) -> bool:
    """Write a line into the server's log."""
    # One logger for all: the library keeps every name it has heard of for ever.
    tags = {**set_or(body.extra, {}), "service": f"client.{body.service}"}
    Logger("client").entry(LEVELS[body.level.lower()], body.message, tags)
    return True


operations = (write_log,)
