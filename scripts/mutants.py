"""Mutation testing: changes the code in small ways, one at a time, and counts the changes that no test notices.

``python scripts/mutants.py [PACKAGE or module path below src/opencode ...]``; by default storage, event, permission and
loop. Works in a copy (``.mutants``), with mutmut from the package index and the unit tests of the packages named. A run
that was stopped goes on where it was. Results: docs/reliability.md, "Mutation testing".
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / ".mutants"
PACKAGES = ("storage", "event", "permission", "loop")
TAKEN = ("src", "tests", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
LEFT = shutil.ignore_patterns("node_modules", "__pycache__", "golden")


def main(wanted: list[str]) -> int:
    copy()
    configure(wanted or list(PACKAGES))
    command = [str(ROOT / "scripts" / "uv"), "run", "--quiet", "--frozen", "--with", "mutmut>=3.8,<4", "mutmut"]
    # The copy has an environment of its own, so that the code in it is what is imported.
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    code = subprocess.run([*command, "run"], cwd=COPY, env=environ, check=False).returncode
    subprocess.run([*command, "results"], cwd=COPY, env=environ, check=False)
    return code


def copy() -> None:
    """Bring the copy up to date; what mutmut keeps beside it stays."""
    for name in TAKEN:
        source, target = ROOT / name, COPY / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT, dirs_exist_ok=True)
        else:
            COPY.mkdir(exist_ok=True)
            shutil.copy2(source, target)


def configure(wanted: list[str]) -> None:
    """Say what is changed and which tests look; warnings are no errors there, since mutmut causes some."""
    packages = sorted({name.split("/")[0] for name in wanted})
    tests = [f"tests/unit/{package}" for package in packages]
    sources = [f"src/opencode/{name}" for name in wanted]
    path = COPY / "pyproject.toml"
    text = path.read_text().replace('filterwarnings = ["error"]', "filterwarnings = []")
    settings = (
        f"source_paths = {sources!r}\npytest_add_cli_args_test_selection = {tests!r}\nalso_copy = ['src', 'tests']\n"
    )
    path.write_text(f"{text}\n[tool.mutmut]\n{settings}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
