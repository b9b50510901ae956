"""The skills that come with the server; skills of the user with the same names replace them."""

from pathlib import Path

from opencode.skill.schema import Skill

LOCATION = "<built-in>"
_CUSTOMIZE = (
    "How to configure OpenCode itself: opencode.json, agents, commands, skills, permissions, providers, models, MCP "
    "servers and instruction files. Use it only when the user wants to change or understand this configuration, "
    "not for the configuration of other programs."
)


def builtin_skills() -> list[Skill]:
    """One: how to configure the product."""
    name = "customize-opencode"
    text = (Path(__file__).parent / "texts" / f"{name}.md").read_text("utf-8")
    return [Skill(name=name, description=_CUSTOMIZE, location=LOCATION, content=text)]
