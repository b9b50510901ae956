"""What mutation testing counts, and what it tries again."""

import json
from collections import Counter
from pathlib import Path

import pytest

from scripts.mutants import forget_survivors, outcome, row


def test_a_change_that_no_test_reaches_has_survived() -> None:
    codes = {0: "survived", 33: "survived", None: "untried", 1: "failed", -24: "timed out", -9: "timed out"}
    assert {code: outcome(code) for code in codes} == codes


def test_a_row_counts_what_was_tried() -> None:
    counts = Counter({"failed": 6, "timed out": 1, "survived": 2, "untried": 3})
    assert row("bus.py", counts) == "| `bus.py` | 9 (3 untried) | 7 | 1 | 2 (22 %) |"
    assert row("none.py", Counter()) == "| `none.py` | 0 | 0 | 0 | 0 (-) |"


CODES = {"a": 1, "b": 0, "c": 33, "d": None, "e": -24}


@pytest.mark.parametrize("source", ["src/event", "src/event/bus.py"])
def test_what_was_noticed_stays_and_what_survived_is_tried_again(tmp_path: Path, source: str) -> None:
    kept = {"exit_code_by_key": CODES, "other": 1}
    metas = [tmp_path / "mutants/src" / name for name in ("event/bus.py.meta", "loop/turn.py.meta")]
    for meta in metas:
        meta.parent.mkdir(parents=True)
        meta.write_text(json.dumps(kept))
    stats = tmp_path / "mutants/mutmut-stats.json"
    stats.write_text("{}")
    forget_survivors(tmp_path, [source, "src/nothing.py"])
    changed, left = (json.loads(meta.read_text()) for meta in metas)
    assert changed == {"exit_code_by_key": {**CODES, "b": None, "c": None}, "other": 1}
    assert (left, stats.exists()) == (kept, False)
