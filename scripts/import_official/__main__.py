"""``make import-official``: official servers write data, ours imports it, and both must say the same of it."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import anyio

from bench.binaries import NotAvailable, official_binary
from scripts.import_official.accounts import Json, account_of, differences
from scripts.import_official.fixtures import write_fixture
from scripts.import_official.world import World, copied_home, open_world, state_of
from scripts.official_clients.isolation import CannotIsolate, isolated
from tests.support.server_process import Home

VERSIONS: Final = ("1.1.53", "1.2.15", "1.18.33")
LAST_WITH_FILES, FIRST_WITH_DATABASE, NEWEST = VERSIONS
PROGRAMS: Final = ("unshare", "ip", "npm", "git")


def main() -> int:
    """The exit code: 0 when everything is the same, 1 when not, 2 when it could not be tried."""
    options = parsed_options()
    if options.inside:
        return anyio.run(compare_all, options.inside, options.versions, options.record)
    try:
        for version in {*options.versions, *VERSIONS}:
            official_binary(version)
        with tempfile.TemporaryDirectory(prefix="import-official-") as scratch:
            record = ["--record", str(options.record.absolute())] if options.record else []
            command = [sys.executable, "-m", "scripts.import_official", *record, "--inside", scratch]
            return isolated([*command, "--versions", *options.versions], PROGRAMS)
    except (CannotIsolate, NotAvailable) as error:
        print(f"import-official: {error}", file=sys.stderr)
        return 2


def parsed_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import-official", description=__doc__)
    parser.add_argument("--versions", nargs="+", default=VERSIONS, metavar="VERSION", help="official versions to try")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write the data there, for the tests")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


async def compare_all(scratch: Path, versions: list[str], record: Path | None) -> int:
    """Each version by itself, and the oldest one's data after the newest version took it over."""
    good = True
    for version in versions:
        async with open_world(scratch / version) as world:
            home = world.home("official")
            answers = await world.written_by(official_binary(version), home)
            good &= await compare(world, version, home, answers)
            if record is not None:
                write_fixture(record, version, home.data, answers, world.root)
            if version == LAST_WITH_FILES:
                later = copied_home(home, "later")
                for program in (FIRST_WITH_DATABASE, NEWEST):
                    answers = await world.answers(str(official_binary(program)), later)
                good &= await compare(
                    world, f"{version}, moved by {FIRST_WITH_DATABASE}, then {NEWEST}", later, answers
                )
    return 0 if good else 1


async def compare(world: World, name: str, home: Home, answers: list[Json]) -> bool:
    """Import what is in the home and print how it compares; True when nothing differs."""
    said = account_of(answers)
    before = state_of(home.data)
    ours = world.home(f"ours-{home.root.name}")
    first_code, first = await world.imported(ours, home.data)
    again_code, again = await world.imported(ours, home.data)
    faults = differences(said, account_of(await world.our_answers(ours)))
    if first_code or again_code or f"Sessions: {len(said)} new, 0 updated, 0 unchanged, 0 kept" not in first:
        faults.append(f"the import said: {first}")
    if f"Sessions: 0 new, 0 updated, {len(said)} unchanged, 0 kept" not in again:
        faults.append(f"the second import said: {again}")
    if state_of(home.data) != before:
        faults.append("the data that was read was changed")
    faults += await world.cannot_go_on(ours, said.values())
    messages = sum(len(one["roles"]) for one in said.values())
    parts = sum(sum(one["parts"]) for one in said.values())
    print(
        f"{'FAIL' if faults else 'PASS'}  {name}: {len(said)} sessions, {messages} messages, {parts} parts", flush=True
    )
    for fault in faults:
        print(f"      | {fault}", flush=True)
    return not faults


if __name__ == "__main__":
    sys.exit(main())
