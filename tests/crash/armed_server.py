"""The real ``opencode`` with failpoints, for ``python armed_server.py serve ...``.

``CRASH_AT=commit.after:12`` makes the process end itself with SIGKILL the twelfth time it gets to ``commit.after``.
The failpoints stand where the program meets the standard library, so the program itself knows nothing of them.
"""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from opencode.cli.main import main

T = TypeVar("T")

SEAMS = ("commit", "event", "spawn", "file")
FAILPOINTS = tuple(f"{seam}.{side}" for seam in SEAMS for side in ("before", "after"))


class Fuse:
    """Counts how often one failpoint is reached and ends the process when it is time."""

    def __init__(self, armed: str) -> None:
        self._name, _, times = armed.partition(":")
        self._left = int(times or 0)

    def reached(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def around(fuse: Fuse, seam: str, function: Callable[..., T]) -> Callable[..., T]:
    """The function with a failpoint before and one after it."""

    def called(*arguments: Any, **named: Any) -> T:
        fuse.reached(f"{seam}.before")
        result = function(*arguments, **named)
        fuse.reached(f"{seam}.after")
        return result

    return called


def connection_class(fuse: Fuse) -> type[sqlite3.Connection]:
    """Connections whose commits and writes to the event log are failpoints."""

    def armed(sql: str, run: Callable[..., sqlite3.Cursor]) -> Callable[..., sqlite3.Cursor]:
        is_event = sql.lstrip().startswith("INSERT INTO event ")
        seam = "commit" if sql == "COMMIT" else "event" if is_event else None
        return run if seam is None else around(fuse, seam, run)

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return armed(sql, super().execute)(sql, *parameters)

        def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return armed(sql, super().executemany)(sql, *parameters)

        def executescript(self, sql: str) -> sqlite3.Cursor:
            return around(fuse, "commit", super().executescript)(sql)

    return Connection


def arm(fuse: Fuse) -> None:
    """Commits and event appends, started processes, and files that take their place under their name."""
    sqlite3.connect = partial(sqlite3.connect, factory=connection_class(fuse))  # type: ignore[assignment]
    subprocess.Popen.__init__ = around(fuse, "spawn", subprocess.Popen.__init__)  # type: ignore[method-assign]
    os.replace = around(fuse, "file", os.replace)


if __name__ == "__main__":
    arm(Fuse(os.environ.get("CRASH_AT", "")))
    main()
