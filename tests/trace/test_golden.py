"""The golden files themselves: each belongs to a scenario, and nothing in them depends on where they were made."""

import ast
import re
from pathlib import Path

from tests.trace.golden import GOLDEN


def scenarios() -> set[str]:
    """The names of all tests that are scenarios."""
    names = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        folder = path.stem.removeprefix("test_")
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef) and "scenario(" in "".join(map(ast.unparse, node.decorator_list)):
                names.add(f"{folder}/{node.name.removeprefix('test_')}")
    return names


def test_every_golden_file_belongs_to_a_scenario() -> None:
    assert {str(path.relative_to(GOLDEN).with_suffix("")) for path in GOLDEN.rglob("*.json")} == scenarios()


def test_golden_files_hold_no_paths_ports_or_dates_of_their_making() -> None:
    varying = re.compile(r"/tmp/|/home/|127\.0\.0\.1:(?!9/)\d+|\b20\d\d-\d\d-\d\dT")
    assert [path.name for path in GOLDEN.rglob("*.json") if varying.search(path.read_text())] == []
