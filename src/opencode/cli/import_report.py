"""What an import did, for the person who started it."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from opencode.core.ids import SessionID
from opencode.session.schema import Session
from opencode.transfer.comparison import Decision
from opencode.transfer.reading import Outline, Problems
from opencode.transfer.record import Source

ORDER: Final[tuple[Decision, ...]] = ("new", "updated", "unchanged", "kept")
SHOWN: Final = 50


class ImportReport:
    """Counts while the import runs; lines on stdout at its end."""

    def __init__(self) -> None:
        self._sources: list[str] = []
        self._decisions: Counter[Decision] = Counter()
        self._messages = 0
        self._parts = 0
        self._kept: list[str] = []
        self._failed: list[str] = []
        self._skipped: list[str] = []
        self._links: list[str] = []
        self._permissions = 0
        self._on_terminal = sys.stderr.isatty()

    @property
    def is_good(self) -> bool:
        """Whether every session that could be read is stored as it was read."""
        return not self._failed

    def done(self, decision: Decision, outline: Outline) -> None:
        self._decisions[decision] += 1
        if decision == "kept":
            self._kept.append(named(outline.session))
        else:
            self._messages += len(outline.messages)
            self._parts += outline.parts

    def failed(self, session: Session, reason: str) -> None:
        self._failed.append(f"{named(session)}: {reason}")

    def finish(self, source: Source, problems: Problems, links: Mapping[SessionID, str]) -> None:
        """A source is at its end."""
        self._sources.append(source.name)
        self._skipped += [f"{one.place}: {one.reason}" for one in problems.found.values()]
        self._links += [f"{session_id}: {link}" for session_id, link in links.items()]
        self._permissions += source.saved_permissions()

    def progress(self) -> None:
        """Show on a terminal how far it is."""
        if self._on_terminal:
            print(f"\r{sum(self._decisions.values())} sessions", end="", file=sys.stderr, flush=True)

    def print(self, notes: Sequence[str]) -> None:
        if self._on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        for source in self._sources:
            print(f"Read {source}")
        counts = ", ".join(f"{self._decisions[kind]} {kind}" for kind in ORDER)
        print(f"Sessions: {counts}")
        print(f"Checked: {self._messages} messages with {self._parts} parts are stored as they were read")
        self._list("Kept as they are here, because both have gone on since", self._kept)
        self._list("Not imported", self._failed)
        self._list("Left out, because it cannot be read", self._skipped)
        self._list("Shared by OpenCode, and still to be unshared there", self._links)
        if self._permissions:
            print("Permissions given for good were not imported: this server asks again.")
        for note in notes:
            print(f"Note: {note}")

    def _list(self, title: str, lines: Sequence[str]) -> None:
        if lines:
            print(f"{title} ({len(lines)}):")
            for line in lines[:SHOWN]:
                print(f"  {line}")
            if len(lines) > SHOWN:
                print(f"  and {len(lines) - SHOWN} more; the log has them all")


def named(session: Session) -> str:
    """A session's id and title."""
    return f"{session.id} ({session.title})"
