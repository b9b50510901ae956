"""``make official-clients``: OpenCode's own clients from npm, driven on our server, with nothing left behind."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

import anyio

from scripts.official_clients.check import Check
from scripts.official_clients.connection_checks import CONNECTION_CHECKS
from scripts.official_clients.conversation_checks import CONVERSATION_CHECKS
from scripts.official_clients.install import CannotInstall, install
from scripts.official_clients.isolation import CannotIsolate, isolated, require_programs
from scripts.official_clients.run_checks import RUN_CHECKS
from scripts.official_clients.session_checks import SESSION_CHECKS
from scripts.official_clients.world import Setting, World, open_world
from tests.support.server_process import OPENCODE

CHECKS: Final = [*CONVERSATION_CHECKS, *SESSION_CHECKS, *RUN_CHECKS, *CONNECTION_CHECKS]
VERSION: Final = "1.18.33"


def main() -> int:
    """The exit code: 0 when every check passed, 2 when they could not be run."""
    options = parsed_options()
    if options.list:
        for check in CHECKS:
            print(f"{check.name:20} {check.sentence}")
        return 0
    if options.inside:
        return anyio.run(run_checks, setting_of(options), options.only)
    for number in (signal.SIGINT, signal.SIGTERM):  # the temporary directory goes then too
        signal.signal(number, lambda *_: sys.exit(2))
    try:
        return install_and_isolate(options)
    except (CannotIsolate, CannotInstall) as error:
        print(f"official-clients: {error}", file=sys.stderr)
        return 2


def parsed_options() -> argparse.Namespace:
    names = [check.name for check in CHECKS]
    parser = argparse.ArgumentParser(prog="official-clients", description="Drive OpenCode's own clients on our server.")
    parser.add_argument("--version", default=VERSION, help=f"of the official program on npm ({VERSION})")
    parser.add_argument("--program", type=Path, help="an official program that is already there: nothing is installed")
    parser.add_argument("--only", nargs="+", choices=names, metavar="CHECK", default=names, help="run only these")
    parser.add_argument("--list", action="store_true", help="print the checks, run nothing")
    parser.add_argument(
        "--official-server", action="store_true", help="with the official server in place of ours: tries the checks"
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def install_and_isolate(options: argparse.Namespace) -> int:
    """Everything is written below one temporary directory, which goes when the checks are done."""
    require_programs()
    with tempfile.TemporaryDirectory(prefix="official-clients-") as scratch:
        program = options.program or install(options.version, Path(scratch) / "npm")
        inside = ["--inside", scratch, "--program", str(program.resolve()), "--version", options.version]
        if options.official_server:
            inside.append("--official-server")
        return isolated([sys.executable, "-m", "scripts.official_clients", *inside, "--only", *options.only])


def setting_of(options: argparse.Namespace) -> Setting:
    directory = options.inside / "world"
    directory.mkdir()
    server_program = str(options.program) if options.official_server else OPENCODE
    return Setting(options.version, options.program, server_program, directory, count(1))


async def run_checks(setting: Setting, names: Sequence[str]) -> int:
    """Run the named checks one after the other; the exit code."""
    wanted = [check for check in CHECKS if check.name in names]
    able = [check for check in wanted if check.is_for(setting.version)]
    for check in wanted:
        if check not in able:
            print(f"SKIP  {check.name:20} the client has it since {check.since}")
    async with open_world(setting) as world:
        passed = [await passes(check, world) for check in able]
    print(f"\n{sum(passed)} of {len(able)} checks passed with the official opencode {setting.version}")
    return 0 if all(passed) else 1


async def passes(check: Check, world: World) -> bool:
    """Run one check and print its line; what was seen instead when it fails."""
    started = anyio.current_time()
    try:
        await check.probe(world)
    except Exception as error:  # noqa: BLE001  # whatever a check meets, the next ones are still to run
        print(f"FAIL  {check.name:20} {check.sentence}\n{indented(str(error) or repr(error))}", flush=True)
        return False
    print(f"PASS  {check.name:20} {check.sentence} ({anyio.current_time() - started:.1f} s)", flush=True)
    return True


def indented(text: str) -> str:
    return "\n".join(f"      | {line}" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
