"""``docs/performance.md`` and its plot, from one run's samples."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.bench import Bench, Sample
from bench.binaries import OFFICIAL
from bench.peers import OURS
from bench.plot import growth_plot
from bench.rows.growth import TITLES
from bench.targets import ROWS, Ratios, Row

PAGE = "performance.md"
PLOT = "performance-growth.svg"
FACTORS = {"us": 1e6, "ms": 1e3, "s": 1.0, "MiB": 1.0}
INTRODUCTION = """# Performance

Written by `make bench`; do not edit. Ours and the official servers {versions} do the same work side by side in
one run: each on a home and projects of its own, in a network namespace without a network, with the same scripted model
that answers at once in a process of its own. The servers take turns, {rounds} rounds unless a row says otherwise;
figures are medians. *Wall* is what a client sees, *CPU* the processor time of the server's whole process tree; where
other programs keep the machine busy, CPU is the steadier figure. A ratio says how many times less ours takes.

{snapshots}

{machine}
"""
GROWTH = """## Growth

What ours costs as it fills up, in processor time: with so many sessions stored, and in a session of so many parts
(reached by copying rows). A prompt in the long session sends the whole history to the model, so it grows with it;
everything else should be flat.

![Processor time over size]({plot})

"""


def write_report(bench: Bench, folder: Path, load_before: float) -> None:
    """Write the page and the plot."""
    machine = _machine(load_before)
    versions = " and ".join(OFFICIAL)
    page = INTRODUCTION.format(
        versions=versions, rounds=bench.effort.rounds, machine=machine, snapshots=_snapshots(bench.snapshots)
    )
    page += "\n## Ours and the official servers\n\n" + "\n".join(_table(bench.samples)) + "\n"
    if bench.growth:
        lines = {
            TITLES[key]: {size: (sample.cpu or sample.value) * 1e3 for size, sample in sizes.items()}
            for key, sizes in bench.growth.items()
        }
        (folder / PLOT).write_text(growth_plot(lines, "sessions stored, or parts of the session"))
        page += "\n" + GROWTH.format(plot=PLOT) + "\n".join(_growth_table(bench.growth)) + "\n"
    (folder / PAGE).write_text(page)


def _snapshots(kept: Mapping[str, bool]) -> str:
    who = (
        "Ours and the official servers keep" if kept.get(OURS, True) else "The official servers, unlike ours yet, keep"
    )
    return (
        f"{who} a git snapshot of the files before each\nstep unless told otherwise. The rows with `snapshot: false` "
        "compare the work\nwithout it."
    )


def _machine(load_before: float) -> str:
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(next(line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")).split()[1]) / 2**20
    return (
        f"Machine: {os.cpu_count()} x {cpu}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; {datetime.now(UTC):%Y-%m-%d}; "
        f"load average when the run began: {load_before:.1f}, when it ended: {os.getloadavg()[0]:.1f} "
        "(a run keeps about two processors busy by itself)."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _table(samples: Mapping[str, Mapping[str, Sequence[Sample]]]) -> list[str]:
    head = " | ".join(f"less than {version}: wall, CPU" for version in OFFICIAL)
    out = [f"| work | ours: wall, CPU | {head} | floor | aim | result |", "| --- " * (5 + len(OFFICIAL)) + "|"]
    for row in ROWS:
        found = samples.get(row.key, {})
        if OURS in found:
            out.append(_line(row, found))
    return out


def _line(row: Row, found: Mapping[str, Sequence[Sample]]) -> str:
    ours = found[OURS]
    ratios = [_ratios(ours, found[version]) if version in found else (0.0, None) for version in OFFICIAL]
    cells = [
        f"{row.title} ({row.note})" if row.note else row.title,
        _cost(row, ours),
        *(f"{_times(wall)}{'' if cpu is None else ', ' + _times(cpu)}" for wall, cpu in ratios),
        *_targets(row),
        verdict(row, ours, ratios),
    ]
    return f"| {' | '.join(cells)} |"


def medians(samples: Sequence[Sample]) -> tuple[float, float | None]:
    """Median value and median processor time."""
    cpus = [sample.cpu for sample in samples if sample.cpu is not None]
    return statistics.median(sample.value for sample in samples), statistics.median(cpus) if cpus else None


def _ratios(ours: Sequence[Sample], theirs: Sequence[Sample]) -> tuple[float, float | None]:
    (our_wall, our_cpu), (their_wall, their_cpu) = medians(ours), medians(theirs)
    return their_wall / our_wall, their_cpu / our_cpu if our_cpu and their_cpu else None


def _cost(row: Row, samples: Sequence[Sample]) -> str:
    wall, cpu = medians(samples)
    factor = FACTORS[row.unit]
    return _digits(wall * factor) + (f", {_digits(cpu * factor)}" if cpu is not None else "") + f" {row.unit}"


def _digits(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def _targets(row: Row) -> tuple[str, str]:
    """Floor and aim, as the table shows them."""
    if row.limits_ms is not None:
        floor, aim = row.limits_ms
        return f"{floor:g} ms", f"{aim:g} ms"
    return _pair(row.floor), _pair(row.aim)


def _pair(targets: Ratios | None) -> str:
    return "" if targets is None else f"{targets[0]:g} / {targets[1]:g}"


def verdict(row: Row, ours: Sequence[Sample], ratios: Sequence[tuple[float, float | None]]) -> str:
    """How far the row got: by the wall clock, and by processor time where that says something else."""
    if row.limits_ms is not None:
        milliseconds, (floor, aim) = medians(ours)[0] * 1e3, row.limits_ms
        return _level(milliseconds <= floor, milliseconds <= aim)
    if row.floor is None or row.aim is None:
        return ""
    by_wall = _reached(row, [wall for wall, _ in ratios])
    cpus = [cpu for _, cpu in ratios if cpu is not None]
    by_cpu = _reached(row, cpus) if cpus else by_wall
    return by_wall if by_wall == by_cpu else f"{by_wall} (CPU: {by_cpu})"


def _reached(row: Row, ratios: Sequence[float]) -> str:
    assert row.floor is not None and row.aim is not None
    return _level(
        all(ratio >= least for ratio, least in zip(ratios, row.floor, strict=True)),
        all(ratio >= least for ratio, least in zip(ratios, row.aim, strict=True)),
    )


def _level(floor: bool, aim: bool) -> str:
    return "aim" if aim else "floor" if floor else "**missed**"


def _growth_table(growth: Mapping[str, Mapping[int, Sample]]) -> list[str]:
    sizes = sorted({size for line in growth.values() for size in line})
    out = [f"| CPU ms | {' | '.join(f'{size:,}' for size in sizes)} |", "| --- " * (1 + len(sizes)) + "|"]
    for key, line in growth.items():
        costs = " | ".join(_digits((line[size].cpu or 0) * 1e3) for size in sizes)
        out.append(f"| {TITLES[key]} | {costs} |")
    return out
