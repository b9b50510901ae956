"""What to do with a session that may be here already."""

from typing import Literal

from opencode.transfer.reading import Outline
from opencode.transfer.schema import SessionContent

Decision = Literal["new", "unchanged", "updated", "kept"]
"""``kept``: both have gone on in their own way, and ours stays as it is."""


def decide(source: Outline, stored: SessionContent | None) -> Decision:
    """Ours is brought up to date as long as it has nothing that the source does not have."""
    if stored is None:
        return "new"
    if same_content(source, stored):
        return "updated" if source.session.time.updated > stored.session.time.updated else "unchanged"
    ids = {message.id for message in source.messages}
    is_behind = all(message.id in ids for message in stored.messages)
    is_older = stored.session.time.updated <= source.session.time.updated
    return "updated" if is_behind and is_older else "kept"


def same_content(source: Outline, stored: SessionContent) -> bool:
    """Whether messages and parts are the same, byte for byte and in the same order."""
    return source.messages == stored.messages
