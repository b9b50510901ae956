"""The texts about tools that the model reads."""

from importlib import resources


def prompt_text(package: str, name: str) -> str:
    """The text beside a module, without blank ends: ``prompt_text("opencode.tool.builtin", "read.md")``.

    A tool reads its text once, when it is made.
    """
    return resources.files(package).joinpath(name).read_text(encoding="utf-8").strip()
