"""The ``opencode`` program: its options, commands and exit codes (spec: CLI, sections 1 and 2)."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import click

from opencode.cli.errors import CliError
from opencode.cli.options import (
    GLOBAL_NAMES,
    GlobalOptions,
    NetworkOptions,
    RunOptions,
    export_options,
    global_options,
    import_options,
    network_options,
    run_options,
)
from opencode.core.errors import NamedError
from opencode.core.version import API_VERSION, SERVER_VERSION

INTERRUPTED: Final = 130


def main() -> None:
    """Run the program with the arguments of this process and leave with its exit code."""
    sys.exit(run_program(sys.argv[1:]))


def run_program(arguments: Sequence[str]) -> int:
    """The exit code of ``opencode <arguments>``: 0, 1 for anything that went wrong, 130 when interrupted."""
    # What the server starts can see that it runs inside an agent.
    os.environ.update({"AGENT": "1", "OPENCODE": "1", "OPENCODE_PID": str(os.getpid())})
    try:
        return int(program.main(list(arguments), prog_name="opencode", standalone_mode=False) or 0)
    except click.UsageError as error:
        context = error.ctx
        return _fail(f"{context.get_help()}\n\n{error.format_message()}" if context else error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (click.ClickException, CliError, NamedError) as error:
        return _fail(error.format_message() if isinstance(error, click.ClickException) else str(error))


def _fail(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """The API version alone on stdout, where scripts look for OpenCode's; ours on stderr."""
    if not wanted:
        return
    print(API_VERSION, flush=True)
    print(f"opencode-server {SERVER_VERSION}", file=sys.stderr, flush=True)
    context.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
@global_options
@click.pass_context
def program(context: click.Context, /, **options: Any) -> None:
    """OpenCode's headless server and agent."""
    context.obj = GlobalOptions(**options)


def command(name: str, options: Callable[[Any], Any]) -> Callable[[Callable[..., int]], click.Command]:
    """A command of the program whose function takes the global options and its own, and returns the exit code.

    The global options may stand before or after the command's name.
    """

    def decorate(function: Callable[..., int]) -> click.Command:
        def called(before: GlobalOptions, /, **given: Any) -> int:
            after = GlobalOptions(**{name: given.pop(name) for name in GLOBAL_NAMES})
            return function(before.merged(after), **given)

        return program.command(name, help=function.__doc__)(options(global_options(click.pass_obj(called))))

    return decorate


# Each command imports its work when it is called: `serve` never loads the HTTP client, `--help` loads neither.


def _server() -> Callable[[GlobalOptions, NetworkOptions], int]:
    """The server, loaded. What imports make stays, so the garbage collector need not look at it, now or later."""
    gc.disable()
    from opencode.cli.serve import serve_command

    gc.freeze()
    gc.enable()
    return serve_command


@command("serve", network_options)
def serve(globals_: GlobalOptions, **options: Any) -> int:
    """Start the headless server."""
    return _server()(globals_, NetworkOptions(**options))


@command("server", network_options)
def server(globals_: GlobalOptions, **options: Any) -> int:
    """Start the headless server on port 3000, if nothing else is said."""
    return _server()(globals_, NetworkOptions(**options, default_port=3000))


@command("run", run_options)
def run(globals_: GlobalOptions, **options: Any) -> int:
    """Send one message, print what the agent does, and end."""
    from opencode.cli.run import run_command

    return run_command(globals_, RunOptions(**options))


@command("export", export_options)
def export(globals_: GlobalOptions, session_id: str | None, sanitize: bool) -> int:
    """Print a session with its messages as JSON."""
    from opencode.cli.export import export_command

    return export_command(globals_, session_id, sanitize=sanitize)


@command("import", import_options)
def import_(globals_: GlobalOptions, file: str | None, from_opencode: str | None) -> int:
    """Import an exported session from a file or a share link, or every session of an installed OpenCode."""
    from opencode.cli.import_ import import_command

    return import_command(globals_, file, from_opencode)
