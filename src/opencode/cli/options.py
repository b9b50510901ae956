"""The options of the commands, as records and as the decorators that read them (spec: CLI, sections 2 and 4)."""

from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar, get_args

import click

from opencode.core.log import LogLevel

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalOptions:
    """Options of every command. ``log_level`` ``None``: not given."""

    print_logs: bool = False
    log_level: LogLevel | None = None
    pure: bool = False

    def merged(self, other: "GlobalOptions") -> "GlobalOptions":
        """Both, where the other's level wins."""
        return GlobalOptions(
            print_logs=self.print_logs or other.print_logs,
            log_level=other.log_level or self.log_level,
            pure=self.pure or other.pure,
        )


GLOBAL_NAMES: Final = tuple(field.name for field in fields(GlobalOptions))


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """Where to listen. ``None``: not given, the configuration or the default decides. Port 0: choose."""

    port: int | None = None
    default_port: int = 0
    hostname: str | None = None
    mdns: bool | None = None
    mdns_domain: str | None = None
    cors: tuple[str, ...] = ()
    allow_unauthenticated: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """One run. ``title`` is empty when ``--title`` was given without a value."""

    message: tuple[str, ...] = ()
    command: str | None = None
    continue_: bool = False
    session: str | None = None
    fork: bool = False
    share: bool = False
    title: str | None = None
    model: str | None = None
    variant: str | None = None
    agent: str | None = None
    file: tuple[str, ...] = ()
    attach: str | None = None
    password: str | None = None
    username: str | None = None
    dir: str | None = None
    port: int | None = None
    thinking: bool = False
    format: str = "default"
    auto: bool = False


def global_options(function: F) -> F:
    """Adds the options of :class:`GlobalOptions`."""
    return _with(
        function,
        click.option("--print-logs", is_flag=True, help="Log to stderr instead of a file."),
        click.option("--log-level", type=click.Choice(get_args(LogLevel)), help="The least level to log (INFO)."),
        click.option("--pure", is_flag=True, help="Without external plugins."),
    )


def network_options(function: F) -> F:
    """Adds the options of :class:`NetworkOptions`."""
    return _with(
        function,
        click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 tries 4096, then any free one (0)."),
        click.option("--hostname", "--host", "hostname", help="Address to listen on (127.0.0.1)."),
        click.option("--mdns/--no-mdns", default=None, help="Announce the server on the local network."),
        click.option("--mdns-domain", help="Name to announce (opencode.local)."),
        click.option("--cors", multiple=True, metavar="ORIGIN", help="Another browser origin to allow; repeatable."),
        click.option(
            "--allow-unauthenticated",
            is_flag=True,
            help="Listen beyond the loopback without a password. Whoever reaches the port can run commands here.",
        ),
        click.option("--force", is_flag=True, help="Start although the configuration disables the server."),
    )


def export_options(function: F) -> F:
    """What to export."""
    return _with(
        function,
        click.argument("session_id", metavar="[SESSION]", required=False),
        click.option("--sanitize", is_flag=True, help="Without what was said and read: structure, times and figures."),
    )


def import_options(function: F) -> F:
    """What to import."""
    return _with(
        function,
        click.argument("file", metavar="[FILE|URL]", required=False),
        click.option(
            "--from-opencode",
            is_flag=False,
            flag_value="",
            metavar="[PATH]",
            help="Every session of an installed OpenCode: its data directory, `storage` folder or database.",
        ),
    )


def models_options(function: F) -> F:
    """Which models to list, and how."""
    return _with(
        function,
        click.argument("provider", required=False),
        click.option("--verbose", is_flag=True, help="With everything that is known of each model, as JSON."),
        click.option("--refresh", is_flag=True, help="Fetch the list of models anew before."),
        *_json_options(),
    )


def stats_options(function: F) -> F:
    """Which figures to show, and how."""
    return _with(
        function,
        click.option("--days", type=click.IntRange(min=0), help="Sessions used in the last N days; 0: today (all)."),
        click.option("--tools", type=click.IntRange(min=0), help="How many tools to show (all)."),
        click.option(
            "--models",
            is_flag=False,
            flag_value="0",
            type=click.IntRange(min=0),
            help="Show models, all or the N most used.",
        ),
        click.option("--project", metavar="ID", help='Sessions of one project; "" is the current one (all).'),
        *_json_options(),
    )


def login_options(function: F) -> F:
    """Where to log in, and how."""
    return _with(
        function,
        click.argument("url", required=False),
        click.option("-p", "--provider", help="Provider, by id or name."),
        click.option("-m", "--method", help="Login method, by its label."),
        click.option(
            "--input", "inputs", multiple=True, metavar="KEY=VALUE", help="Answer to what it asks; repeatable."
        ),
        click.option("-y", "--yes", is_flag=True, help="Run the login command of the address without asking."),
    )


def logout_options(function: F) -> F:
    """Where to log out."""
    return _with(function, click.argument("provider", required=False))


def list_options(function: F) -> F:
    """How to list."""
    return _with(function, *_json_options())


def _json_options() -> tuple[Any, ...]:
    """``--format json`` and its short form; :func:`wants_json` reads them."""
    return (
        click.option(
            "--format", "format_", type=click.Choice(["default", "json"]), default="default", help="Output (default)."
        ),
        click.option("--json", "json_", is_flag=True, help="The same as --format json."),
    )


def wants_json(options: dict[str, Any]) -> bool:
    """Takes the options of :func:`_json_options` out of those of a command."""
    is_short, chosen = options.pop("json_"), options.pop("format_")
    return bool(is_short) or chosen == "json"


def run_options(function: F) -> F:
    """Adds the options of :class:`RunOptions`."""
    return _with(
        function,
        click.argument("message", nargs=-1),
        click.option("--command", help="Slash command to run; the message becomes its arguments."),
        click.option("-c", "--continue", "continue_", is_flag=True, help="Go on with the newest session."),
        click.option("-s", "--session", metavar="ID", help="Go on with this session."),
        click.option("--fork", is_flag=True, help="Go on with a copy of the session."),
        click.option("--share", is_flag=True, help="Share the session."),
        click.option("--title", is_flag=False, flag_value="", help="Title; without a value, the message's beginning."),
        click.option("-m", "--model", metavar="PROVIDER/MODEL", help="Model to use."),
        click.option("--variant", help="Variant of the model, such as its reasoning effort."),
        click.option("--agent", help="Agent to use."),
        click.option("-f", "--file", multiple=True, metavar="PATH", help="File or directory to attach; repeatable."),
        click.option("--attach", metavar="URL", help="Use the server at this address instead of starting one."),
        click.option("-p", "--password", help="Password of that server (OPENCODE_SERVER_PASSWORD)."),
        click.option("-u", "--username", help="User of that server (OPENCODE_SERVER_USERNAME, opencode)."),
        click.option("--dir", metavar="PATH", help="Directory to work in; with --attach, one of the server's."),
        click.option("--port", type=click.IntRange(0, 65535), help="Port of the server that is started."),
        click.option("--thinking", is_flag=True, help="Show the model's reasoning."),
        click.option("--format", type=click.Choice(["default", "json"]), default="default", help="Output (default)."),
        click.option(
            "--auto/--no-auto",
            "--yolo/--no-yolo",
            "--dangerously-skip-permissions/--no-dangerously-skip-permissions",
            default=False,
            help="Allow, once each, whatever the agent asks permission for.",
        ),
    )


def _with(function: F, *decorators: Any) -> F:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function
