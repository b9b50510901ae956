"""The page of all settings is complete and current."""

from pathlib import Path

from opencode.config.manual import undocumented_settings, with_settings

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_every_setting_has_a_description() -> None:
    assert undocumented_settings() == []


def test_the_page_shows_the_settings_of_this_version() -> None:
    page = PAGE.read_text("utf-8")

    assert page == with_settings(page), "run: python -m opencode.config.manual docs/configuration.md"
