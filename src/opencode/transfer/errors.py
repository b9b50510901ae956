"""What can be wrong with what is to be imported."""

from collections.abc import Sequence
from pathlib import Path

from opencode.core.errors import Conflict
from opencode.core.ids import MessageID, PartID


class PartTaken(Conflict):
    """A part brings the id of a part of another message."""

    def __init__(self, part_id: PartID, message_id: MessageID) -> None:
        super().__init__(f"Part id is taken by message {message_id}: {part_id}", partID=part_id)


class Unreadable(Exception):
    """A record of another program that cannot be understood; the message says why."""


class NothingToImport(Exception):
    """A place holds no data of OpenCode; the message says where was looked, and what was found instead."""

    def __init__(self, place: Path, notes: Sequence[str] = ()) -> None:
        found = "; ".join(notes) or "neither a database (opencode.db) nor a folder `storage`"
        super().__init__(
            f"No OpenCode data found in {place}: {found}. Name its data directory: opencode import --from-opencode PATH"
        )


class KeepsChanging(Exception):
    """A database was written to while it was copied, again and again."""

    def __init__(self, database: Path) -> None:
        super().__init__(f"{database} is being written to. Close OpenCode and import again.")
