"""Reads one ``SKILL.md`` (spec: commands and skills, section 4.1)."""

import re
from pathlib import Path

from opencode.config.markdown import parse_markdown
from opencode.core.text_file import read_text
from opencode.core.wire import UNSET
from opencode.skill.schema import Skill

_FRONT_MATTER = re.compile(r"\A---.*?^---[ \t]*\r?\n?", re.DOTALL | re.MULTILINE)


def read_skill(path: Path) -> Skill | None:
    """The skill of a file; None when it has no name and so is none. Raises ``ConfigFrontmatterError``, ``OSError``."""
    text = read_text(path)
    fields, _ = parse_markdown(text, path)
    name, description = fields.get("name"), fields.get("description")
    if not isinstance(name, str) or not name:
        return None
    return Skill(
        name=name,
        description=description if isinstance(description, str) and description else UNSET,
        location=str(path),
        # As it stands, blanks included: clients show it, and the official server sends it so.
        content=_FRONT_MATTER.sub("", text, count=1),
    )
