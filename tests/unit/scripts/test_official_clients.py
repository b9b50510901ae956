"""The checks of OpenCode's own clients: what can be known of them without running them."""

from collections import Counter
from pathlib import Path

import pytest

from scripts.official_clients.__main__ import CHECKS
from scripts.official_clients.check import Check

PAGE = Path(__file__).parents[3] / "docs/official-clients.md"


async def _holds(world: object) -> None:
    """Nothing to look at."""


def test_names_are_unique() -> None:
    assert max(Counter(check.name for check in CHECKS).values()) == 1


def test_the_page_lists_every_check_in_order() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [f"| `{check.name}` | {check.sentence} | {check.since} |" for check in CHECKS]


@pytest.mark.parametrize(
    ("since", "version", "is_for"),
    [("", "1.1.53", True), ("1.18", "1.18.33", True), ("1.18", "1.2.15", False), ("1.18", "2.0.0", True)],
)
def test_a_check_is_for_the_versions_that_can_do_it(since: str, version: str, is_for: bool) -> None:
    assert Check("a", "It holds.", _holds, since).is_for(version) is is_for
