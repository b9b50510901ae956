"""The tables of ``opencode stats``."""

from opencode.cli.stats_table import Shown, short, tables
from opencode.core.ids import ModelID, ProviderID
from opencode.session.schema import CacheTokens, Tokens
from opencode.session.statistics_schema import ModelUsage, ToolUsage, UsageStatistics

TOKENS = Tokens(input=123_456, output=1_234, reasoning=10, cache=CacheTokens(read=1_500_000, write=20))
FIGURES = UsageStatistics(
    sessions=1_200,
    messages=3,
    days=4,
    cost=1.5,
    tokens=TOKENS,
    median_tokens=15,
    models=[
        ModelUsage(provider_id=ProviderID("p"), model_id=ModelID(name), messages=1, cost=0.01, tokens=TOKENS)
        for name in ("first", "a-model-with-a-very-long-name-that-does-not-fit-into-the-table")
    ],
    tools=[
        ToolUsage(tool="edit", calls=7),
        ToolUsage(tool="a-very-long-tool-name", calls=2),
        ToolUsage(tool="read", calls=1),
    ],
)
NOTHING = UsageStatistics(sessions=0, messages=0, days=0, cost=0, tokens=Tokens(), median_tokens=0, models=[], tools=[])


def rows(text: str) -> dict[str, str]:
    """The value of each label, the last one of the same name."""
    cells = [line.strip("│").strip() for line in text.splitlines() if line.startswith("│")]
    return {cell[:40].split("  ")[0]: cell.rsplit("  ", 1)[-1].strip() for cell in cells}


def test_every_line_is_58_characters_wide() -> None:
    text = tables(FIGURES, Shown(models=0))
    assert {len(line) for line in text.splitlines() if line} == {58}
    assert text.splitlines()[3] == "│Sessions                                          1,200 │"


def test_sums_averages_and_shares_are_shown() -> None:
    found = rows(tables(FIGURES, Shown()))
    assert (found["Days"], found["Total Cost"], found["Avg Cost/Day"]) == ("4", "$1.50", "$0.38")
    assert (found["Input"], found["Output"], found["Cache Read"]) == ("123.5K", "1.2K", "1.5M")
    assert (found["Avg Tokens/Session"], found["Median Tokens/Session"]) == ("1.4K", "15")
    lines = tables(FIGURES, Shown()).splitlines()
    assert "│ edit               ████████████████████   7 (70.0%)    │" in lines
    assert "│ a-very-long-tool.. █████                  2 (20.0%)    │" in lines
    assert "MODEL USAGE" not in tables(FIGURES, Shown())


def test_the_days_asked_for_count_for_the_average() -> None:
    found = rows(tables(FIGURES, Shown(days=0)))
    assert (found["Days"], found["Avg Cost/Day"]) == ("1", "$1.50")
    assert rows(tables(FIGURES, Shown(days=30)))["Avg Cost/Day"] == "$0.05"


def test_only_so_many_models_and_tools_are_shown() -> None:
    text = tables(FIGURES, Shown(models=1, tools=1))
    assert "p/first" in text and "p/a-model" not in text
    assert "edit" in text and "read" not in text
    assert "p/a-model-with" in tables(FIGURES, Shown(models=0))


def test_without_sessions_there_are_zeros() -> None:
    found = rows(tables(NOTHING, Shown(models=0)))
    assert (found["Sessions"], found["Avg Cost/Day"], found["Median Tokens/Session"]) == ("0", "$0.00", "0")


def test_large_numbers_are_shortened() -> None:
    assert [short(n) for n in (0, 999, 1_000, 999_949, 1_000_000)] == ["0", "999", "1.0K", "999.9K", "1.0M"]
