"""Mutation testing: changes the code in small ways, one at a time, and counts the changes that no test notices.

``python scripts/mutants.py [PACKAGE or module path below src/opencode ...]``; by default storage, event, permission,
question and loop. Works in copies (``.mutants/PACKAGE``), with mutmut from the package index. A change is tried with
the unit tests that reach it, the slow ones last. A run that was stopped goes on where it was, and one that is repeated
tries again what has survived. At the end stands a table for each package, and in ``.mutants/PACKAGE/survivors.txt``
what nobody noticed. Results: docs/reliability.md, "Mutation testing".
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIES = ROOT / ".mutants"
PACKAGES = ("storage", "event", "permission", "question", "loop")
ALSO = {"event": ["permission", "question"]}
"""Packages whose unit tests try a package too: permission and question stand on ``event/asks.py``."""
SLOW = {"loop": [f"test_{name}.py" for name in ("admission", "loop", "prompt", "shell", "title")]}
"""Tests of a package that open a whole directory: only what survives the others is tried with them."""
TAKEN = ("src", "tests", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
LEFT = shutil.ignore_patterns("node_modules", "__pycache__")
PLUGINS = ("xdist", "schemathesis", "cacheprovider", "hypothesispytest", "_hypothesis_pytestplugin")
"""What pytest loads in vain for each change; half of the time of a short test goes there."""
IN_CHILDREN = ("test_a_killed_process", "test_a_write_the_file_system_refuses", "test_a_second_server_is_told")
"""Tests of processes that they start: those run the code as it is, so they are slow and notice nothing."""
MUTMUT = ("run", "--quiet", "--frozen", "--with", "mutmut>=3.8,<4", "mutmut")
WORKERS = (os.cpu_count() or 1) + 1
"""Many changes make a test wait until its time is up, which takes no processor."""

SURVIVED, UNREACHED, TIMED_OUT = 0, 33, {-24, -9, 24, 36, 152, 255}
"""How mutmut codes what became of a change; every other code is that of a failed test."""
SETTINGS = """
[tool.mutmut]
source_paths = {sources!r}
pytest_add_cli_args_test_selection = {tests!r}
pytest_add_cli_args = {arguments!r}
also_copy = ['src', 'tests']
do_not_mutate_patterns = ['^ *log[.](debug|info|warning|error|exception)[(]']
timeout_constant = 10.0
timeout_multiplier = 4.0
use_git_change_detection = false
"""


def main(wanted: list[str]) -> int:
    names = wanted or list(PACKAGES)
    for package in dict.fromkeys(name.split("/")[0] for name in names):
        measure(package, [name for name in names if name.split("/")[0] == package])
    return 0


def measure(package: str, names: Sequence[str]) -> None:
    """Change the modules of one package, and show what came of it."""
    place = COPIES / package
    copy(place)
    sources = [f"src/opencode/{name}" for name in names]
    slow = [f"tests/unit/{package}/{name}" for name in SLOW.get(package, [])]
    units = [f"tests/unit/{name}" for name in (package, *ALSO.get(package, []))]
    for tests in ([*units, *(f"--ignore={path}" for path in slow)], slow):
        if tests:
            configure(place, sources, tests)
            forget_survivors(place, sources)
            # Modules that only the slow tests reach stop mutmut in the first pass.
            mutmut(place, "run", may_stop=bool(slow) and tests is not slow)
    survivors = mutmut(place, "results", is_quiet=True)
    (place / "survivors.txt").write_text(survivors)
    show(package, place)


def copy(place: Path) -> None:
    """Bring the copy up to date; what mutmut keeps beside it stays."""
    place.mkdir(parents=True, exist_ok=True)
    for name in TAKEN:
        source, target = ROOT / name, place / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)


def configure(place: Path, sources: list[str], tests: list[str]) -> None:
    """Say what is changed and which tests look; warnings are no errors there, since mutmut causes some."""
    path = place / "pyproject.toml"
    text = (ROOT / "pyproject.toml").read_text().replace('filterwarnings = ["error"]', "filterwarnings = []")
    arguments = [word for plugin in PLUGINS for word in ("-p", f"no:{plugin}")]
    arguments += ["-k", " and ".join(f"not {name}" for name in IN_CHILDREN)]
    path.write_text(text + SETTINGS.format(sources=sources, tests=tests, arguments=arguments))


def forget_survivors(place: Path, sources: Sequence[str]) -> None:
    """Let mutmut try again what was not noticed in these packages or modules, with the tests there are now."""
    (place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    for source in sources:
        path = place / "mutants" / source
        for meta in path.rglob("*.meta") if path.is_dir() else [path.with_name(f"{path.name}.meta")]:
            if meta.exists():
                kept = json.loads(meta.read_text())
                codes = kept["exit_code_by_key"]
                again = {name: None for name, code in codes.items() if code in (SURVIVED, UNREACHED)}
                meta.write_text(json.dumps({**kept, "exit_code_by_key": {**codes, **again}}, indent=4))


def mutmut(place: Path, action: str, *, is_quiet: bool = False, may_stop: bool = False) -> str:
    """Run mutmut in a copy; what it printed, if it was to be quiet."""
    # The copy has an environment of its own, so that the code in it is what is imported.
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    options = ["--max-children", str(WORKERS)] if action == "run" else []
    command = [str(ROOT / "scripts" / "uv"), *MUTMUT, action, *options]
    is_checked = not (is_quiet or may_stop)
    done = subprocess.run(command, cwd=place, env=environ, check=is_checked, text=True, capture_output=is_quiet)
    return done.stdout or ""


def show(package: str, place: Path) -> None:
    """The table of a package, as docs/reliability.md has it."""
    total: Counter[str] = Counter()
    base = place / "mutants" / "src" / "opencode" / package
    print(f"\n| `{package}` | changes | noticed | of these by time limit | survived |\n| --- | --- | --- | --- | --- |")
    for path in sorted(base.rglob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"].values()
        counts = Counter(map(outcome, codes))
        if counts:
            print(row(str(path.relative_to(base)).removesuffix(".meta"), counts))
        total += counts
    print(row("together", total))


def outcome(code: int | None) -> str:
    """What became of a change."""
    if code is None:
        return "untried"
    if code in (SURVIVED, UNREACHED):
        return "survived"
    return "timed out" if code in TIMED_OUT else "failed"


def row(name: str, counts: Counter[str]) -> str:
    """A line of the table; changes that were not tried yet are said to be so."""
    tried = counts["survived"] + counts["timed out"] + counts["failed"]
    share = f"{100 * counts['survived'] / tried:.0f} %" if tried else "-"
    untried = f" ({counts['untried']} untried)" if counts["untried"] else ""
    noticed = counts["timed out"] + counts["failed"]
    return f"| `{name}` | {tried}{untried} | {noticed} | {counts['timed out']} | {counts['survived']} ({share}) |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
