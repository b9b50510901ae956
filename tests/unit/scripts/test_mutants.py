"""What mutation testing counts, and what it tries again."""

import json
from collections import Counter
from pathlib import Path

import pytest

from scripts.mutants import beside, draw, forget_survivors, keep_chosen_tests, outcome, row, stages


def test_a_change_that_no_test_reaches_has_survived() -> None:
    codes = {
        0: "survived",
        33: "survived",
        None: "untried",
        34: "untried",
        1: "failed",
        -24: "timed out",
        -9: "timed out",
    }
    assert {code: outcome(code) for code in codes} == codes


def test_a_row_counts_what_was_tried() -> None:
    counts = Counter({"failed": 6, "timed out": 1, "survived": 2, "untried": 3})
    assert row("bus.py", counts) == "| `bus.py` | 9 (3 untried) | 7 | 1 | 2 (22 %) |"
    assert row("none.py", Counter()) == "| `none.py` | 0 | 0 | 0 | 0 (-) |"


CODES = {"a": 1, "b": 0, "c": 33, "d": None, "e": -24, "f": 0, "g": None, "h": 34, "i": 34}


def kept(place: Path, module: str, codes: object) -> Path:
    """What mutmut keeps of a module."""
    meta = place / "mutants/src" / f"{module}.meta"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text(json.dumps({"exit_code_by_key": codes, "other": 1}))
    return meta


def codes_in(meta: Path) -> dict[str, int | None]:
    codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
    return codes


@pytest.mark.parametrize("source", ["src/event", "src/event/bus.py"])
def test_of_what_was_drawn_all_but_the_noticed_is_tried_again(tmp_path: Path, source: str) -> None:
    changed, left = (kept(tmp_path, module, CODES) for module in ("event/bus.py", "loop/turn.py"))
    forget_survivors(tmp_path, [source, "src/nothing.py"], {"a", "b", "c", "d", "h"})
    assert codes_in(changed) == {**CODES, "b": None, "c": None, "h": None, "f": 34, "g": 34}
    assert json.loads(changed.read_text())["other"] == 1
    assert codes_in(left) == CODES


def test_a_sample_is_the_same_each_time_and_new_changes_do_not_alter_the_lots_of_others(tmp_path: Path) -> None:
    names = [f"change{number}" for number in range(100)]
    kept(tmp_path, "loop/step.py", dict.fromkeys(names[:50]))
    kept(tmp_path, "loop/turn.py", dict.fromkeys(names[50:]))
    drawn = draw(tmp_path, ["src/loop"], 20, "1")
    assert len(drawn) == 20
    assert drawn & set(names[:50])
    assert drawn & set(names[50:])
    assert draw(tmp_path, ["src/loop"], 20, "2") != drawn
    assert draw(tmp_path, ["src/loop"], None, "1") == set(names)
    kept(tmp_path, "loop/turn.py", dict.fromkeys([*names[50:], "change100"]))
    assert draw(tmp_path, ["src/loop"], 21, "1") >= drawn


def test_tests_of_whole_requests_try_the_modules_they_are_chosen_for(tmp_path: Path) -> None:
    assert stages("event", ["event"]) == [["tests/unit/event", "tests/unit/permission", "tests/unit/question"]]
    units, slow, whole = stages("loop", ["loop/queue.py"])
    assert (units[0], "tests/unit/loop/test_loop.py" in slow) == ("tests/unit/loop", True)
    assert whole == ["tests/wire/test_queue.py"]
    stats = tmp_path / "mutants/mutmut-stats.json"
    stats.parent.mkdir()
    tests = ["tests/wire/test_queue.py::test_a", "tests/wire/test_why.py::test_b"]
    reached = dict.fromkeys(["opencode.loop.queue.x_one", "opencode.loop.queue.xǁOneǁtwo", "opencode.event.x_a"], tests)
    stats.write_text(json.dumps({"tests_by_mangled_function_name": reached, "other": 1}))
    keep_chosen_tests(tmp_path, units)
    assert json.loads(stats.read_text())["tests_by_mangled_function_name"] == reached
    keep_chosen_tests(tmp_path, whole)
    assert json.loads(stats.read_text()) == {
        "tests_by_mangled_function_name": dict(zip(reached, [tests[:1], tests[:1], []], strict=True)),
        "other": 1,
    }


def test_what_is_changed_is_not_copied_again(tmp_path: Path) -> None:
    for name in ("loop/turn.py", "loop/step.py", "event/bus.py"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert beside(tmp_path, ["src/loop/turn.py"]) == ["src/event/bus.py", "src/loop/step.py"]
    assert beside(tmp_path, ["src/loop"]) == ["src/event/bus.py"]
