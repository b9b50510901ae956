"""A network namespace of our own: no server under test can reach anything but this machine's loopback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from bench.binaries import NotAvailable

INSIDE = "OPENCODE_BENCH_ISOLATED"


def is_isolated() -> bool:
    """Whether this process was started by :func:`run_isolated`."""
    return os.environ.get(INSIDE) == "1"


def run_isolated(arguments: Sequence[str]) -> int:
    """Run this program again inside a namespace; its exit code. Raises ``NotAvailable``."""
    isolate = _isolate()
    inner = [sys.executable, "-m", "bench", *arguments]
    script = 'ip link set lo up && exec "$@"'
    return subprocess.run([*isolate, "sh", "-c", script, "bench", *inner], env={**os.environ, INSIDE: "1"}).returncode


def _isolate() -> list[str]:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        raise NotAvailable("`unshare` and `ip` are not installed: the official programs run without a network")
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    probe = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise NotAvailable(f"no network namespace can be made here (not root?): {probe.stderr.strip()}")
    return command
