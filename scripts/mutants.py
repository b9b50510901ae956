"""Mutation testing: changes the code in small ways, one at a time, and counts the changes that no test notices.

``python scripts/mutants.py [PACKAGE or module path below src/opencode ...]``; by default storage, event, permission,
question and loop. ``--sample N`` tries only so many changes of each package, drawn by ``--seed``: the same ones each
time, as long as their functions stay. Works in copies (``.mutants/PACKAGE``), with mutmut from the package index. A
change is tried with the unit tests that reach it, the slow ones last, and then, for some modules, with tests of whole
requests. A run that was stopped goes on where it was, and one that is repeated tries again what has survived. At the
end stands a table for each package, and in ``.mutants/PACKAGE/survivors.txt`` what nobody noticed. Results:
docs/reliability.md, "Mutation testing".
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[1]
COPIES = ROOT / ".mutants"
PACKAGES = ("storage", "event", "permission", "question", "loop")
ALSO = {"event": ["permission", "question"]}
"""Packages whose unit tests try a package too: permission and question stand on ``event/asks.py``."""
SLOW = {"loop": [f"test_{name}.py" for name in ("admission", "compaction", "loop", "prompt", "shell", "title", "why")]}
"""Tests of a package that open a whole directory: only what survives the others is tried with them."""
WHOLE = {
    f"loop/{module}.py": tuple(f"tests/{name}.py" for name in names.split())
    for module, names in {
        "background_tasks": "wire/test_background_subagents",
        "budgets": "wire/test_spending",
        "call_ids": "trace/test_tools",
        "command": "wire/test_command wire/test_command_seams wire/test_queue",
        "command_template": "wire/test_command wire/test_command_seams",
        "compaction": "wire/test_compaction",
        "expand": "wire/test_prompt_files",
        "fallback": "wire/test_model_fallback",
        "file_parts": "wire/test_prompt_files",
        "loop": "trace/test_prompts wire/test_queue wire/test_step_settings wire/test_compaction",
        "model_calls": "trace/test_failures",
        "plan_mode": "wire/test_plan_mode",
        "preparations": "wire/test_command wire/test_command_seams",
        "prompt": "wire/test_queue wire/test_revert",
        "prompt_files": "wire/test_prompt_files",
        "prompt_turns": "wire/test_queue",
        "queue": "wire/test_queue",
        "resource_parts": "wire/test_prompt_files",
        "retry_budget": "wire/test_retry_limits",
        "revert": "wire/test_revert",
        "shell": "trace/test_shell",
        "step": "trace/test_prompts trace/test_requests wire/test_step_settings wire/test_model_fallback",
        "step_tools": "trace/test_asking trace/test_tools wire/test_step_settings wire/test_structured_output",
        "structured": "wire/test_structured_output",
        "subagent": "wire/test_subagents wire/test_background_subagents",
        "subtask": "wire/test_subagents",
        "summary_step": "wire/test_compaction wire/test_model_fallback",
        "title": "wire/test_spending",
        "turn_summary": "wire/test_revert",
        "why": "wire/test_why",
    }.items()
}
"""Tests of whole requests for modules whose unit tests do not see enough, slower still."""
PATIENCE = re.compile(r"(fail_after\(|PATIENCE_SECONDS = )\d\d\b")
SHORTER = r"\g<1>6"
"""Tests are patient with a busy machine. A change that makes one wait for ever is to be noticed sooner."""
TAKEN = ("src", "tests", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
LEFT = shutil.ignore_patterns("node_modules", "__pycache__")
PLUGINS = ("xdist", "schemathesis", "cacheprovider", "hypothesispytest", "_hypothesis_pytestplugin")
"""What pytest loads in vain for each change; half of the time of a short test goes there."""
IN_CHILDREN = ("test_a_killed_process", "test_a_write_the_file_system_refuses", "test_a_second_server_is_told")
"""Tests of processes that they start: those run the code as it is, so they are slow and notice nothing."""
NOTHING = "no.such.change"
MUTMUT = ("run", "--quiet", "--frozen", "--with", "mutmut>=3.8,<4", "mutmut")
WORKERS = (os.cpu_count() or 1) + 1
"""Many changes make a test wait until its time is up, which takes no processor."""

SURVIVED, UNREACHED, LEFT_OUT, TIMED_OUT = 0, 33, 34, {-24, -9, 24, 36, 152, 255}
"""How mutmut codes what became of a change; every other code is that of a failed test."""
SETTINGS = """
[tool.mutmut]
source_paths = {sources!r}
pytest_add_cli_args_test_selection = {tests!r}
pytest_add_cli_args = {arguments!r}
also_copy = {beside!r}
do_not_mutate_patterns = ['^ *log[.](debug|info|warning|error|exception)[(]']
timeout_constant = 10.0
timeout_multiplier = 4.0
use_git_change_detection = false
"""


def main() -> int:
    reader = argparse.ArgumentParser(description="Counts the small changes to the code that no test notices.")
    reader.add_argument("names", nargs="*", default=PACKAGES, help="packages, or paths of modules, below src/opencode")
    reader.add_argument("--sample", type=int, help="try only so many changes of each package")
    reader.add_argument("--seed", default="1", help="what the sample is drawn by (default: 1)")
    reader.add_argument("--workers", type=int, default=WORKERS, help=f"changes tried side by side (default: {WORKERS})")
    given = reader.parse_args()
    for package in dict.fromkeys(name.split("/")[0] for name in given.names):
        names = [name for name in given.names if name.split("/")[0] == package]
        measure(package, names, given.sample, given.seed, given.workers)
    return 0


def measure(package: str, names: Sequence[str], sample: int | None, seed: str, workers: int) -> None:
    """Change the modules of one package, and show what came of it."""
    place = COPIES / package
    copy(place)
    sources = [f"src/opencode/{name}" for name in names]
    drawn: set[str] = set()
    for tests in stages(package, names):
        configure(place, sources, tests)
        prepare(place, sources)
        drawn = draw(place, sources, sample, seed)
        forget_survivors(place, sources, drawn)
        keep_chosen_tests(place, tests)
        # It fails where no test of this stage reaches anything.
        mutmut(place, "run", "--max-children", str(workers))
    results = mutmut(place, "results", is_quiet=True).splitlines(keepends=True)
    (place / "survivors.txt").write_text("".join(line for line in results if not line.endswith(": skipped\n")))
    show(package, place, drawn)


def stages(package: str, names: Sequence[str]) -> list[list[str]]:
    """What pytest is told to run, stage after stage: each one tries what survived those before it."""
    slow = [f"tests/unit/{package}/{name}" for name in SLOW.get(package, [])]
    units = [f"tests/unit/{name}" for name in (package, *ALSO.get(package, []))]
    whole = dict.fromkeys(path for module, paths in WHOLE.items() if is_below(module, names) for path in paths)
    first = [*units, *(f"--ignore={path}" for path in slow)]
    return [tests for tests in (first, slow, list(whole)) if tests]


def is_below(module: str, names: Sequence[str]) -> bool:
    """Whether a module is one of these, or in one of these packages; by their paths."""
    return any(f"{module}/".startswith(f"{name}/") for name in names)


def copy(place: Path) -> None:
    """Bring the copy up to date; what mutmut keeps beside it stays."""
    place.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place / "mutants" / "tests", ignore_errors=True)
    for name in TAKEN:
        source, target = ROOT / name, place / name
        if source.is_dir():
            # What is gone here goes there too: a test that is no more must not notice anything.
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=LEFT)
        else:
            shutil.copy2(source, target)
    for path in (place / "tests").rglob("*.py"):
        text = path.read_text()
        if (impatient := PATIENCE.sub(SHORTER, text)) != text:
            path.write_text(impatient)


def configure(place: Path, sources: list[str], tests: list[str]) -> None:
    """Say what is changed and which tests look; warnings are no errors there, since mutmut causes some."""
    others = beside(place, sources)
    for folder in {(place / "mutants" / file).parent for file in others}:
        folder.mkdir(parents=True, exist_ok=True)
    path = place / "pyproject.toml"
    text = (ROOT / "pyproject.toml").read_text().replace('filterwarnings = ["error"]', "filterwarnings = []")
    arguments = [word for plugin in PLUGINS for word in ("-p", f"no:{plugin}")]
    arguments += ["-k", " and ".join(f"not {name}" for name in IN_CHILDREN)]
    settings = SETTINGS.format(sources=sources, tests=tests, arguments=arguments, beside=["tests", *others])
    path.write_text(text + settings)


def beside(place: Path, sources: Sequence[str]) -> list[str]:
    """The files that are not changed. Those that are must not be copied again: mutmut would make all changes anew."""
    files = (path.relative_to(place).as_posix() for path in (place / "src").rglob("*") if path.is_file())
    return sorted(file for file in files if not is_below(file, sources))


def prepare(place: Path, sources: Sequence[str]) -> None:
    """Make the changes, and see which test reaches what."""
    (place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    unfinished = place / "unfinished"
    if unfinished.exists():
        for meta in metas(place, sources):
            meta.with_suffix("").unlink(missing_ok=True)
    unfinished.touch()
    # A name that fits nothing lets mutmut stop after that.
    mutmut(place, "run", NOTHING, is_quiet=True)
    unfinished.unlink()


def metas(place: Path, sources: Sequence[str]) -> dict[Path, dict[str, int | None]]:
    """What became of each change to these packages or modules, for each file in which mutmut keeps that."""
    paths = [place / "mutants" / source for source in sources]
    found = [meta for path in paths for meta in (path.rglob("*.meta") if path.is_dir() else [meta_of(path)])]
    return {meta: json.loads(meta.read_text())["exit_code_by_key"] for meta in sorted(found) if meta.exists()}


def meta_of(module: Path) -> Path:
    return module.with_name(f"{module.name}.meta")


def draw(place: Path, sources: Sequence[str], sample: int | None, seed: str) -> set[str]:
    """The names of the changes that are tried. Each one's lot is its own: new changes do not alter those of others."""
    names = [name for codes in metas(place, sources).values() for name in codes]
    return set(sorted(names, key=lambda name: Random(f"{seed} {name}").random())[:sample])


def forget_survivors(place: Path, sources: Sequence[str], drawn: Collection[str]) -> None:
    """Let mutmut try what was drawn and not noticed yet, with the tests there are now, and nothing else."""
    for meta, codes in metas(place, sources).items():
        again = {
            name: None if name in drawn else LEFT_OUT
            for name, code in codes.items()
            if code in (SURVIVED, UNREACHED, LEFT_OUT, None)
        }
        kept = json.loads(meta.read_text())
        meta.write_text(json.dumps({**kept, "exit_code_by_key": {**codes, **again}}, indent=4))


def keep_chosen_tests(place: Path, tests: Sequence[str]) -> None:
    """In the last stage, let each module be tried with the files that stand beside it in ``WHOLE`` only."""
    path = place / "mutants" / "mutmut-stats.json"
    if not path.exists() or not set(tests) & {path for paths in WHOLE.values() for path in paths}:
        return
    stats = json.loads(path.read_text())
    reached = stats["tests_by_mangled_function_name"]
    for function, names in reached.items():
        # As in "opencode.loop.queue.x_waiting" and "opencode.loop.queue.xǁQueueǁtake".
        module = function.removeprefix("opencode.").rpartition(".")[0].replace(".", "/") + ".py"
        reached[function] = [name for name in names if name.partition("::")[0] in WHOLE.get(module, ())]
    path.write_text(json.dumps(stats, indent=4))


def mutmut(place: Path, *words: str, is_quiet: bool = False) -> str:
    """Run mutmut in a copy; what it printed, if it was to be quiet."""
    # The copy has an environment of its own, so that the code in it is what is imported.
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = [str(ROOT / "scripts" / "uv"), *MUTMUT, *words]
    done = subprocess.run(command, cwd=place, env=environ, check=False, text=True, capture_output=is_quiet)
    return done.stdout or ""


def show(package: str, place: Path, drawn: Collection[str]) -> None:
    """The table of a package, as docs/reliability.md has it."""
    total: Counter[str] = Counter()
    print(f"\n| `{package}` | changes | noticed | of these by time limit | survived |\n| --- | --- | --- | --- | --- |")
    source = f"src/opencode/{package}"
    for meta, codes in metas(place, [source]).items():
        counts = Counter(outcome(code) for name, code in codes.items() if name in drawn)
        if counts:
            print(row(str(meta.relative_to(place / "mutants" / source)).removesuffix(".meta"), counts))
        total += counts
    print(row("together", total))


def outcome(code: int | None) -> str:
    """What became of a change."""
    if code in (None, LEFT_OUT):
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
    sys.exit(main())
