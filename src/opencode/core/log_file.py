"""Where the log goes: one bounded file per process, or stderr (spec: HTTP layer, section 13)."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from opencode.core.clock import Clock
from opencode.core.log import ROOT, LineFormatter, LogLevel, level_number

FILE_LIMIT_BYTES: Final = 20_000_000
KEPT_FILES: Final = 10
_CLEAN_ABOVE: Final = 5
_OURS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d{6}\.log")


@contextmanager
def configure_logging(level: LogLevel, *, to_stderr: bool, directory: Path, clock: Clock) -> Iterator[Path | None]:
    """Send the log to a new file of ``directory`` (its path is yielded) or to stderr; on exit undo that.

    Our own lines appear from ``level`` on, those of libraries from WARN on. Old log files are removed.
    """
    path = None if to_stderr else _new_file(directory, clock)
    handler: logging.Handler = logging.StreamHandler(sys.stderr) if path is None else PrivateFileHandler(path)
    handler.setFormatter(LineFormatter())
    ours, root = logging.getLogger(ROOT), logging.getLogger()
    before = ours.level
    ours.setLevel(level_number(level))
    root.addHandler(handler)
    try:
        yield path
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)
        handler.close()


class PrivateFileHandler(RotatingFileHandler):
    """Writes to a file that only its owner can read; past the limit it becomes ``<name>.1``, once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_LIMIT_BYTES, backupCount=1, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8")


def remove_old_logs(directory: Path) -> None:
    """When there are more than a few, delete all but the newest files, with their older halves."""
    names = sorted(entry.name for entry in directory.iterdir() if _OURS.fullmatch(entry.name))
    if len(names) <= _CLEAN_ABOVE:
        return
    for name in names[:-KEPT_FILES]:
        for path in (directory / name, directory / f"{name}.1"):
            path.unlink(missing_ok=True)


def _new_file(directory: Path, clock: Clock) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_old_logs(directory)
    moment = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    return directory / moment.strftime("%Y-%m-%dT%H%M%S.log")
