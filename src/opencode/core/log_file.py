"""Where the log goes: one bounded file per process, or stderr (spec: HTTP layer, section 13)."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from opencode.core.clock import Clock
from opencode.core.file_lock import try_lock
from opencode.core.log import ROOT, LineFormatter, LogLevel, level_number

FILE_LIMIT_BYTES: Final = 20_000_000
KEPT_FILES: Final = 10
_CLEAN_ABOVE: Final = 5
_UNUSED_DETAILS: Final = ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks")
"""What the stdlib finds out for every line unless told otherwise (its how-to, "Optimization"); our lines show none."""
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
    details = [(name, getattr(logging, name, None)) for name in _UNUSED_DETAILS]
    for name in _UNUSED_DETAILS:
        setattr(logging, name, None)
    ours.setLevel(level_number(level))
    root.addHandler(handler)
    try:
        yield path
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)
        for name, value in details:
            setattr(logging, name, value)
        handler.close()


class PrivateFileHandler(RotatingFileHandler):
    """Writes to a file that only its owner can read; past the limit it becomes ``<name>.1``, once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_LIMIT_BYTES, backupCount=1, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. The stdlib's way formats it twice and asks the file system for the size each time."""
        try:
            line = self.format(record) + "\n"
            if self._size + len(line) > self.maxBytes:
                self.doRollover()
            if self.stream is None:  # a rollover failed
                self.stream = self._open()
            self.stream.write(line)
            self.stream.flush()
            self._size += len(line)
        except Exception:  # noqa: BLE001 - an edge: a log that fails must not break what it tells of
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that the disk refuses is lost; saying so for each on stderr would help nobody."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):  # what the disk refused until now, it refuses at the end too
            super().close()

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try_lock(descriptor)  # held as long as the file is open: says that it is in use
        self._size = os.fstat(descriptor).st_size
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8")


def remove_old_logs(directory: Path) -> None:
    """When there are more than a few, delete all but the newest files, with their older halves.

    A file that a process still writes stays: that of a server is soon older than those of many short commands.
    """
    names = sorted(entry.name for entry in directory.iterdir() if _OURS.fullmatch(entry.name))
    if len(names) <= _CLEAN_ABOVE:
        return
    for name in names[:-KEPT_FILES]:
        if _is_in_use(directory / name):
            continue
        for path in (directory / name, directory / f"{name}.1"):
            path.unlink(missing_ok=True)


def _is_in_use(path: Path) -> bool:
    try:
        with path.open("rb+") as file:
            return not try_lock(file.fileno())
    except FileNotFoundError:  # another process has just removed it
        return False


def _new_file(directory: Path, clock: Clock) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_old_logs(directory)
    moment = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    return directory / moment.strftime("%Y-%m-%dT%H%M%S.log")
