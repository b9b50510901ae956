"""Permissions given for one call that has yet to be made again."""

from collections.abc import Sequence
from dataclasses import dataclass

from opencode.core.ids import SessionID

LIMIT = 256
"""Grants kept at most; the oldest goes first, which only means that the person is asked again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What was allowed."""

    session_id: SessionID
    permission: str
    patterns: frozenset[str]


class OneShotGrants:
    """What a person allowed after a restart: the model repeats the call, which then passes once without asking."""

    def __init__(self) -> None:
        self._grants: list[Grant] = []

    def add(self, session_id: SessionID, permission: str, patterns: Sequence[str]) -> None:
        self._grants = [*self._grants[1 - LIMIT :], Grant(session_id, permission, frozenset(patterns))]

    def take(self, session_id: SessionID, permission: str, patterns: Sequence[str]) -> bool:
        """Use up a grant that covers all of the patterns; False when there is none."""
        for grant in self._grants:
            same_kind = (grant.session_id, grant.permission) == (session_id, permission)
            if same_kind and grant.patterns.issuperset(patterns):
                self._grants.remove(grant)
                return True
        return False

    def drop(self, session_id: SessionID) -> None:
        """Forget what was allowed to a session."""
        self._grants = [grant for grant in self._grants if grant.session_id != session_id]
