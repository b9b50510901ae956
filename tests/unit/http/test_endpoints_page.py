"""The page about endpoints."""

from pathlib import Path

from opencode.http.endpoints_page import endpoints_page
from opencode.http.operations import OPERATIONS


def test_the_page_is_up_to_date() -> None:
    """When this fails: ``python -m opencode.http.endpoints_page docs/endpoints.md``."""
    page = Path(__file__).parents[3] / "docs" / "endpoints.md"
    assert page.read_text("utf-8") == endpoints_page(OPERATIONS)
