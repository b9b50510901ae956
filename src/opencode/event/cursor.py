"""Where a client stands in the stream: ``<epoch>.<seq>``."""

import re
from typing import Final, NamedTuple

_CURSOR: Final = re.compile(r"([0-9a-f]+)\.([0-9]{1,19})")


class Cursor(NamedTuple):
    """A position: everything up to ``seq`` has been seen. ``epoch`` names the database that counted."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"


def parse_cursor(text: str) -> Cursor | None:
    """The cursor that a client sent back; None for anything else."""
    found = _CURSOR.fullmatch(text.strip())
    return Cursor(found[1], int(found[2])) if found else None
