"""What a running process tree costs: processor time and memory, read from ``/proc``."""

import os
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_CPU_CLOCK = 2


def tree(pid: int) -> list[int]:
    """The process and everything below it that is alive."""
    found = [pid]
    for parent in found:  # grows while it is walked
        for thread in _listed(Path(f"/proc/{parent}/task")):
            try:
                found += [int(child) for child in (thread / "children").read_text().split()]
            except OSError:  # the thread ended meanwhile
                continue
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # the process ended meanwhile
        return []


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, of its live descendants, and of those that have ended."""
    return sum(_own_seconds(each) + _ended_children_seconds(each) for each in tree(pid))


def _own_seconds(pid: int) -> float:
    """To the nanosecond, threads that have ended included (clock ids: ``clock_getcpuclockid(3)``)."""
    try:
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK)
    except OSError:
        return 0.0


def _ended_children_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / _TICK


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident and proportional (PSS) memory of the tree."""
    rss, pss = 0, 0
    for each in tree(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        rss, pss = rss + sizes["Rss"], pss + sizes["Pss"]
    return rss / 1024, pss / 1024
