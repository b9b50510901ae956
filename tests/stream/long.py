"""The long form: ``make streams-long``, or ``python -m tests.stream.long --seed N`` to see a failure again."""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import anyio

from tests.stream.bus_world import simulate
from tests.stream.many import measure
from tests.stream.run import report, run

EVENTS_PER_RUN = 2_500
READERS, CHANGES, STOPPING = 1_000, 20, 500


async def server_form(seed: int, events: int) -> None:
    """The real server, real sockets."""
    with tempfile.TemporaryDirectory() as directory:
        outcome = await run(Path(directory), seed, events=events, actions_per_life=80, tell=partial(print, flush=True))
    print(json.dumps(report(outcome)))


async def bus_form(seed: int, events: int) -> None:
    """The bus alone, with little memory."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "opencode-server.db"
        clients = await simulate(path, seed, events=events, events_per_run=EVENTS_PER_RUN)
    print(json.dumps({"events": events, "resyncs": sum(len(client.resyncs) for client in clients)}))


async def many_form(seed: int, events: int) -> None:
    """Many streams that do read, some that do not, and the time to stop."""
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(await measure(Path(directory), READERS, CHANGES, STOPPING)))


FORMS = {"bus": bus_form, "server": server_form, "many": many_form}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="tests.stream.long", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--form", choices=("all", *FORMS), default="all")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    for name, form in FORMS.items():
        if arguments.form in ("all", name):
            anyio.run(form, arguments.seed, arguments.events, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
