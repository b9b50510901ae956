"""Shell commands that do not want to end. Each of their processes writes its id to the file ``$PIDS``."""

import shlex
from dataclasses import dataclass
from typing import Final

SAY: Final = "echo $$ >> $PIDS; "
SLEEP: Final = SAY + "exec sleep 600"
STUBBORN: Final = "trap '' TERM INT HUP QUIT; " + SAY + "while :; do sleep 600; done"
PY_SAY: Final = "import os, signal, socket, sys, time; open(os.environ['PIDS'], 'a').write(f'{os.getpid()}\\n'); "
PY_DEAF: Final = "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]; "
DAEMON: Final = """\
import os
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir('/')
"""
NO_PIPES: Final = "os.closerange(0, 3); "


@dataclass(frozen=True)
class Hostile:
    """A command and how many processes it tells of."""

    command: str
    processes: int = 1


def sh(script: str) -> str:
    """The script in a shell of its own."""
    return f"sh -c {shlex.quote(script)}"


def python(script: str) -> str:
    """The script in Python."""
    return f"python3 -c {shlex.quote(script)}"


def no_environment(command: str) -> str:
    """The command without what it inherited, except where to write its id."""
    return f'env -i PATH="$PATH" PIDS="$PIDS" {command}'


COMMANDS: Final = {
    "a command that sleeps": Hostile(SLEEP),
    "a command that ignores the polite signals": Hostile(STUBBORN),
    "a program that ignores the polite signals": Hostile(python(PY_SAY + PY_DEAF + "time.sleep(600)")),
    "a command that cleans up for ever": Hostile("trap 'sleep 600' TERM EXIT; " + SAY + "sleep 600 & wait"),
    "a command that starts another when it is told to end": Hostile(
        "trap 'sh -c \"$AGAIN\" & sleep 600' TERM; export AGAIN='echo $$ >> $PIDS; sleep 600'; "
        + SAY
        + "sleep 600 & wait"
    ),
    "a command that starts its child again and again": Hostile(
        "trap '' TERM; " + SAY + f"while :; do {sh(SLEEP)}; done", processes=2
    ),
    "a child in the background": Hostile(f"{sh(SLEEP)} & {SAY} wait", processes=2),
    "a child under nohup": Hostile(f"nohup {sh(SLEEP)} >/dev/null 2>&1 & {SAY} wait", processes=2),
    "a child the shell has disowned": Hostile(f"{sh(STUBBORN)} & disown; {SLEEP}", processes=2),
    "a child in a session of its own": Hostile(f"setsid --wait {sh(SLEEP)}"),
    "a stubborn child in a session of its own in the background": Hostile(
        f"setsid {sh(STUBBORN)} >/dev/null 2>&1 & {SLEEP}", processes=2
    ),
    "grandchildren in groups of their own": Hostile(
        f"set -m; {sh(SLEEP)} & {sh(STUBBORN)} & {sh(f'set -m; {sh(SLEEP)} & wait')} & {SAY} wait", processes=4
    ),
    "a daemon that forked twice": Hostile(f"{python(DAEMON + PY_SAY + 'time.sleep(600)')}; {SLEEP}", processes=2),
    "a stubborn daemon that forked twice": Hostile(
        f"{python(DAEMON + PY_SAY + PY_DEAF + 'time.sleep(600)')}; {SLEEP}", processes=2
    ),
    "a daemon without standard streams": Hostile(
        f"{python(DAEMON + PY_SAY + NO_PIPES + 'time.sleep(600)')}; {SLEEP}", processes=2
    ),
    "a child without our environment": Hostile(no_environment(sh(SLEEP))),
    "a session of its own without our environment": Hostile("setsid --wait " + no_environment(sh(SLEEP))),
    "a command that stopped itself": Hostile(SAY + "kill -STOP $$; sleep 600"),
    "a stopped child": Hostile(f"{sh(SAY + 'kill -STOP $$; sleep 600')} & {SAY} wait", processes=2),
    "a stopped child that ignores the polite signals": Hostile(
        python(PY_SAY + PY_DEAF + "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(600)")
    ),
    "a stopped session of its own": Hostile(f"setsid {sh(SAY + 'kill -STOP $$; sleep 600')} & {SLEEP}", processes=2),
    "a flood of output": Hostile(SAY + "exec yes"),
    "a stubborn flood on both streams": Hostile(
        python(PY_SAY + PY_DEAF + "b = b'x' * 65536\nwhile True: os.write(1, b); os.write(2, b)")
    ),
    "a flood of short lines": Hostile(SAY + "while :; do echo a line; done"),
    "a flood from a child in the background": Hostile(f"{sh(SAY + 'exec yes')} & {SLEEP}", processes=2),
    "a flood that nobody reads": Hostile(SAY + "yes | (exec sleep 600)"),
    "closed standard streams": Hostile(SAY + "exec 0<&- 1>&- 2>&-; sleep 600"),
    "closed standard streams in a session of its own": Hostile(
        f"exec 0<&- 1>&- 2>&-; setsid {sh(SLEEP)} & {SLEEP}", processes=2
    ),
    "a connection that never answers": Hostile(
        python(
            PY_SAY + "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
            "c = socket.create_connection(s.getsockname()); c.recv(1)"
        )
    ),
    "a server that waits for connections": Hostile(
        python(PY_SAY + PY_DEAF + "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.accept()")
    ),
    "a pipe that nobody writes to": Hostile(SAY + "mkfifo pipe; exec cat pipe"),
    "a lock that is held": Hostile(f"exec 9>lock; flock 9; {sh('exec 9>&-; ' + SAY + 'exec flock lock true')}"),
    "a terminal of its own": Hostile(f"script -qfc {shlex.quote(sh(SLEEP))} /dev/null"),
    "a time limit of its own": Hostile(f"timeout 600 {sh(SLEEP)}"),
    "a pipeline of five": Hostile(" | ".join([sh(SAY + "exec cat"), *[sh(SAY + "exec cat")] * 3, sh(SLEEP)]), 5),
    "a tree of thirteen": Hostile(
        "go() { sh -c 'echo $$ >> $PIDS; exec sleep 600' & }; export -f go; "
        f"for i in 1 2 3; do bash -c '{SAY} go; go; go; wait' & done; {SAY} wait",
        processes=13,
    ),
    "many short-lived children": Hostile(SAY + "while :; do (exec true); done"),
    "children that nobody collects": Hostile(
        python(PY_SAY + "[os._exit(0) for _ in range(50) if not os.fork()]; time.sleep(600)")
    ),
    "a coprocess": Hostile(f"coproc {{ {sh(SLEEP)}; }}; {SAY} wait", processes=2),
    "a command that writes to the disk": Hostile(SAY + "while :; do echo x >> growing.log; sleep 0.01; done"),
}
"""By what they do."""
