"""What a command is started with: environment, directories, clock, and its log."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast, get_args

from opencode.cli.errors import CliError
from opencode.cli.options import GlobalOptions
from opencode.config.environment import Environment
from opencode.core.clock import Clock, SystemClock
from opencode.core.errors import NamedError
from opencode.core.log import LogLevel, get_logger
from opencode.core.log_file import configure_logging
from opencode.core.paths import Paths

EXPECTED: Final = (CliError, NamedError, BrokenPipeError)
"""Not worth a traceback in the log. A broken pipe: who reads the output has read enough (``opencode stats | head``)."""

log = get_logger("cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Read once, then passed down. ``log_file`` is ``None`` when the log goes to stderr."""

    environment: Environment
    paths: Paths
    clock: Clock
    log_file: Path | None = None


@contextmanager
def surroundings(options: GlobalOptions) -> Iterator[Surroundings]:
    """The surroundings of this process, with the log set up until the end."""
    environment = Environment.of_process()
    if options.pure:
        environment = Environment({**environment.values, "OPENCODE_PURE": "1"})
    found = Surroundings(environment=environment, paths=Paths.from_environ(environment.values), clock=SystemClock())
    to_stderr = options.print_logs or environment.flag("OPENCODE_PRINT_LOGS")
    with configure_logging(
        log_level(options, environment), to_stderr=to_stderr, directory=found.paths.log, clock=found.clock
    ) as log_file:
        try:
            yield replace(found, log_file=log_file)
        except EXPECTED:
            raise
        except Exception as error:  # an edge: the person gets a line, the log everything
            log.exception("unexpected error")
            where = f", see {log_file}" if log_file is not None else ""
            raise CliError(f"Unexpected error{where}\n\n{str(error) or type(error).__name__}") from error


def log_level(options: GlobalOptions, environment: Environment) -> LogLevel:
    """The option, else ``OPENCODE_LOG_LEVEL``, else INFO; an unknown level of the environment is not one."""
    named = (environment.get("OPENCODE_LOG_LEVEL") or "").upper()
    return options.log_level or (cast(LogLevel, named) if named in get_args(LogLevel) else "INFO")
