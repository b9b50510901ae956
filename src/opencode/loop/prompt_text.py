"""The texts of the loop, kept as Markdown beside the code."""

from pathlib import Path


def prompt_text(name: str) -> str:
    """The text of ``prompts/<name>.md``, without blanks at the ends."""
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text("utf-8").strip()
