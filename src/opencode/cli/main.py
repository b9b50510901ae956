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
    list_options,
    login_options,
    logout_options,
    models_options,
    network_options,
    run_options,
    stats_options,
    wants_json,
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
        usage, message = error.ctx.get_help() if error.ctx else "", error.format_message()
        # Of a group that was named alone, the usage is the message.
        return _fail(message if message.startswith(usage) else f"{usage}\n\n{message}")
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


def command(
    name: str, options: Callable[[Any], Any], parent: click.Group = program
) -> Callable[[Callable[..., int]], click.Command]:
    """A command of the program or of one of its groups.

    Its function takes the global options and its own, and returns the exit code. The global options may stand before or
    after the command's name.
    """

    def decorate(function: Callable[..., int]) -> click.Command:
        def called(before: GlobalOptions, /, **given: Any) -> int:
            after = GlobalOptions(**{name: given.pop(name) for name in GLOBAL_NAMES})
            return function(before.merged(after), **given)

        return parent.command(name, help=function.__doc__)(options(global_options(click.pass_obj(called))))

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


@command("models", models_options)
def models(globals_: GlobalOptions, provider: str | None, verbose: bool, refresh: bool, **options: Any) -> int:
    """List the models that can be used here."""
    from opencode.cli.models import models_command

    return models_command(globals_, provider, verbose=verbose, refresh=refresh, as_json=wants_json(options))


@command("stats", stats_options)
def stats(globals_: GlobalOptions, project: str | None, **options: Any) -> int:
    """Show what sessions have used: tokens, cost, models, tools."""
    from opencode.cli.stats import stats_command
    from opencode.cli.stats_table import Shown

    as_json = wants_json(options)
    return stats_command(globals_, Shown(**options), project=project, as_json=as_json)


@program.group("auth")
def auth() -> None:
    """Log in to model providers, list what is stored, log out."""


program.add_command(auth, "providers")


@command("login", login_options, auth)
def login(globals_: GlobalOptions, inputs: tuple[str, ...], **options: Any) -> int:
    """Log in to a provider, or to the organisation at an address. A script gives the API key on standard input."""
    from opencode.cli.auth_login import LoginOptions, login_command

    if wrong := [each for each in inputs if "=" not in each]:
        raise click.UsageError(f"--input {wrong[0]}: expected KEY=VALUE")
    given = dict(each.partition("=")[::2] for each in inputs)
    return login_command(globals_, LoginOptions(**options, inputs=given))


@command("list", list_options, auth)
def list_(globals_: GlobalOptions, **options: Any) -> int:
    """List what is stored, without secrets, and the variables that are set."""
    from opencode.cli.auth import list_command

    return list_command(globals_, as_json=wants_json(options))


auth.add_command(list_, "ls")


@command("logout", logout_options, auth)
def logout(globals_: GlobalOptions, provider: str | None) -> int:
    """Forget what is stored for a provider."""
    from opencode.cli.auth import logout_command

    return logout_command(globals_, provider)
