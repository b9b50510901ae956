from pathlib import Path

import pytest

from bench.bench import Bench, Effort, Sample
from bench.plot import growth_plot
from bench.report import verdict, write_report
from bench.targets import ROWS, Row

ROW = Row("x", "something", "ms", floor=(4, 2), aim=(10, 5))


@pytest.mark.parametrize(
    ("ratios", "reached"),
    [
        ([(12.0, 12.0), (5.0, 5.0)], "aim"),
        ([(12.0, 12.0), (4.9, 4.9)], "floor"),
        ([(12.0, 12.0), (1.9, 1.9)], "**missed**"),
        ([(12.0, 12.0), (1.9, 2.0)], "**missed** (CPU: floor)"),
        ([(4.0, None), (2.0, None)], "floor"),
    ],
)
def test_a_row_reaches_what_it_reaches_against_both_versions(
    ratios: list[tuple[float, float | None]], reached: str
) -> None:
    assert verdict(ROW, [Sample(0.001)], ratios) == reached


def test_the_page_has_a_line_for_each_row_with_the_medians_and_what_they_are_worth(tmp_path: Path) -> None:
    bench = Bench([], tmp_path, 0, Effort())
    for peer, cost in (("ours", 0.0001), ("1.18.33", 0.0025), ("1.2.15", 0.0005)):
        for factor in (1, 1, 9):
            bench.add("list_100", peer, Sample(cost * factor, cost * factor / 2))
    bench.growth["list"] = {100: Sample(0.1, 0.0002), 10_000: Sample(0.1, 0.0003)}
    write_report(bench, tmp_path, 0.0)
    page = (tmp_path / "performance.md").read_text()
    assert (
        "| `GET /session`, 100 sessions | 100, 50 us | 25, 25 | 5.0, 5.0 | 20 / 3 | 60 / 9 | floor |"
        in page.splitlines()
    )
    assert "| list 100 sessions | 0.2 | 0.3 |" in page.splitlines()
    assert (tmp_path / "performance-growth.svg").read_text().startswith("<svg")


def test_every_row_has_a_key_of_its_own() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)


def test_the_plot_places_every_point_inside_its_frame() -> None:
    drawn = growth_plot({"one": {100: 1.0, 10_000: 3.0}, "two": {100: 0.1, 10_000: 100.0}}, "size")
    assert drawn.count("<circle") == 4
    assert "NaN" not in drawn and "inf" not in drawn
