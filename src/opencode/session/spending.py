"""What model calls have used: added up for the root of each session, and by day."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from opencode.core.ids import SessionID
from opencode.core.wire import Wire
from opencode.session.changes import AddSpending
from opencode.session.schema import Number
from opencode.storage.database import Database
from opencode.storage.transaction import Transaction

_NANO = Decimal(10) ** 9
DEEPEST = 64
"""A bound for chains of parents that a broken import has closed to a ring."""
_PARENT = "SELECT parent_id FROM session WHERE id = ?"
_ADD = """
INSERT INTO spending (session_id, day, nano_usd, tokens) VALUES (?, ?, ?, ?)
ON CONFLICT (session_id, day) DO UPDATE SET nano_usd = nano_usd + excluded.nano_usd, tokens = tokens + excluded.tokens
"""
_OF_SESSION = "SELECT coalesce(sum(nano_usd), 0), coalesce(sum(tokens), 0) FROM spending WHERE session_id = ?"
_OF_DAY = "SELECT coalesce(sum(nano_usd), 0) FROM spending WHERE day = ?"
_FORGET = "DELETE FROM spending WHERE day < ? AND session_id NOT IN (SELECT id FROM session)"


class Spending(Wire):
    """USD and tokens of a session with all below its root, and the USD of everything on a day."""

    session_usd: Number
    session_tokens: int
    day_usd: Number


def add_spending(tx: Transaction, change: AddSpending) -> None:
    """Add what a call has used. The first one of a day forgets the earlier days of sessions that are gone."""
    root = _root(change.session_id, lambda id: tx.execute(_PARENT, (id,)).fetchall())
    if tx.execute("SELECT 1 FROM spending WHERE day = ? LIMIT 1", (change.day,)).fetchone() is None:
        tx.execute(_FORGET, (change.day,))
    nano = int((Decimal(str(change.usd)) * _NANO).to_integral_value())
    tx.execute(_ADD, (root, change.day, nano, int(change.tokens)))


def read_spending(database: Database, session_id: SessionID, day: str) -> Spending:
    """What is known by now."""
    root = _root(session_id, lambda id: database.read(_PARENT, (id,)))
    nano, tokens = database.read(_OF_SESSION, (root,))[0]
    today = database.read(_OF_DAY, (day,))[0][0]
    return Spending(session_usd=_usd(nano), session_tokens=tokens, day_usd=_usd(today))


def _root(session_id: SessionID, parents: Callable[[SessionID], Sequence[Any]]) -> SessionID:
    for _ in range(DEEPEST):
        rows = parents(session_id)
        if not rows or rows[0][0] is None:
            break
        session_id = SessionID(rows[0][0])
    return session_id


def _usd(nano: int) -> Number:
    return float(Decimal(nano) / _NANO) if nano else 0
