"""Golden files: what a scenario's trace must be. ``make update-traces`` rewrites them; the diff is reviewed."""

import json
import os
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "UPDATE_TRACES"
LONGEST_LINE = 800


def compare(name: str, trace: Mapping[str, list[Any]]) -> None:
    """Compare a trace with its golden file, or write the file when ``UPDATE_TRACES`` is set."""
    path = GOLDEN / f"{name}.json"
    text = laid_out(trace)
    if os.environ.get(UPDATE):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    assert path.exists(), f"there is no golden file {path.name}; `make update-traces` writes it"
    expected = path.read_text()
    if text != expected:
        difference = unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=1)
        shown = "\n".join(line[:LONGEST_LINE] for line in difference)
        raise AssertionError(f"the trace differs from its golden file {path.name}:\n{shown}")


def laid_out(trace: Mapping[str, list[Any]]) -> str:
    """JSON with one line for each request, event, record and call of the model, so that diffs are readable."""
    sections = [f"{json.dumps(name)}: {_lines(items)}" for name, items in trace.items()]
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _lines(items: list[Any]) -> str:
    if not items:
        return "[]"
    return "[\n" + ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in items) + "\n]"
