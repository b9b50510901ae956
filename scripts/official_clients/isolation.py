"""Where the official programs run: a network with nothing in it but the loopback, and processes that end with us."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

PROGRAMS: Final = ("unshare", "ip", "tmux", "npm", "git")
LOOPBACK_UP: Final = 'ip link set lo up && exec "$@"'


class CannotIsolate(Exception):
    """This machine cannot give a program a network of its own."""


def isolated(command: Sequence[str], programs: Sequence[str] = PROGRAMS) -> int:
    """Run a command with no network but its own loopback; its exit code.

    The command is the first process of a process namespace of its own: when it ends, all it started is ended too.
    ``programs`` are those it needs. Raises ``CannotIsolate``.
    """
    require_programs(programs)
    namespaces = [*_unshare(), "sh", "-c", LOOPBACK_UP, "sh"]
    trial = subprocess.run([*namespaces, "true"], capture_output=True, text=True, check=False)
    if trial.returncode:
        raise CannotIsolate(
            "cannot make a network namespace, so the official programs are not started: "
            f"run this as root on Linux, or allow user namespaces ({trial.stderr.strip() or 'unshare failed'})"
        )
    return subprocess.run([*namespaces, *command], check=False).returncode


def require_programs(programs: Sequence[str] = PROGRAMS) -> None:
    """Raises ``CannotIsolate`` when a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise CannotIsolate(f"these programs are needed and were not found: {', '.join(missing)}")


def _unshare() -> list[str]:
    """Root makes namespaces freely; others only where the kernel lets them be root in one of their own."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *as_root, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
