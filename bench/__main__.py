"""``python -m bench``: ours and the official servers side by side; ``make bench`` writes ``docs/performance.md``."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.bench import Bench, Effort
from bench.binaries import NotAvailable
from bench.isolation import is_isolated, run_isolated
from bench.peers import official_peers, our_peer, running_model
from bench.report import write_report
from bench.rows import growth, long_sessions, prompts, reads, repositories, starts, streams, writes

LOADS = {"reads": reads, "writes": writes, "prompts": prompts, "streams": streams}
GROUPS = ("starts", *LOADS, "repositories", "long", "large", "growth")
SHORT = Effort(rounds=1, seconds=0.02, scale=50, warm_up=False)
SHORT_GROUPS = tuple(group for group in GROUPS if group != "growth")


def main() -> int:
    """The exit code: 2 when the comparison cannot be made here."""
    arguments = _parser().parse_args()
    if arguments.short:
        uvloop.run(_run(arguments, SHORT))
        return 0
    try:
        if not arguments.ours:
            official_peers()
            if not is_isolated():
                return run_isolated(sys.argv[1:])
    except NotAvailable as problem:
        print(
            f"The official servers cannot be measured here: {problem}. `--ours` measures ours alone.", file=sys.stderr
        )
        return 2
    uvloop.run(_run(arguments, Effort(rounds=arguments.rounds)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a look at ours that shows only that everything works")
    parser.add_argument("--ours", action="store_true", help="leave the official servers out")
    parser.add_argument("--program", type=Path, help="measure this `opencode` as ours, not that of this environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", nargs="+", choices=GROUPS, help="only these groups")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write performance.md and its plot there")
    parser.add_argument("--json", type=Path, help="write every sample here")
    return parser


async def _run(arguments: argparse.Namespace, effort: Effort) -> None:
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="opencode-bench-", ignore_cleanup_errors=True) as folder:
        async with running_model(Path(folder)) as model_port:
            ours = our_peer(arguments.program)
            peers = [ours] if arguments.short or arguments.ours else [ours, *official_peers()]
            bench = Bench(peers, Path(folder), model_port, effort)
            await _measure(bench, arguments.rows or (SHORT_GROUPS if arguments.short else GROUPS))
    if arguments.report:
        write_report(bench, arguments.report, load_before)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.plain(), indent=1))


async def _measure(bench: Bench, groups: Sequence[str]) -> None:
    if "starts" in groups:
        await starts.measure(bench)
    loads = {name: module for name, module in LOADS.items() if name in groups}
    if loads:
        async with bench.worlds("main") as worlds:
            for module in loads.values():
                await module.measure(bench, worlds)
            starts.measure_memory(bench, worlds)
    if "writes" in groups:
        await starts.measure_stored(bench, "main")
    if "repositories" in groups:
        async with bench.worlds("repositories") as worlds:
            await repositories.measure(bench, worlds)
    if "long" in groups:
        await long_sessions.measure(bench)
    if "large" in groups:
        async with bench.worlds("main") as worlds:
            await reads.measure_large(bench, worlds)
    if "growth" in groups:
        await growth.measure(bench)


if __name__ == "__main__":
    sys.exit(main())
