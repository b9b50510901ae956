"""Sharing a session: anyone with the link may read it, as a page of this server (spec: todos and sharing, section 2.4).

Nothing is sent anywhere. Links exist only where the operator's ``server.share`` allows them.
"""

import secrets
from typing import Final, Literal

import msgspec

from opencode.core.clock import Clock
from opencode.core.errors import Invalid, NotFound
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, Wire, encode, replace, set_or
from opencode.session.changes import ChangeSession
from opencode.session.errors import SessionNotFound
from opencode.session.pages import message_page
from opencode.session.schema import MessageWithParts, Number, Session, SessionShare, Tokens
from opencode.session.store import SessionStore
from opencode.storage.database import Database, Transaction

ShareMode = Literal["manual", "auto", "disabled"]
ID_BYTES: Final = 16

_SESSION = msgspec.json.Decoder(Session)


class ShareDisabled(Invalid):
    """Sharing is switched off, or nobody has allowed it."""


class ShareNotFound(NotFound):
    """No session is shared under this id, or no more."""

    def __init__(self, share_id: str) -> None:
        super().__init__(f"Nothing is shared here: {share_id}", shareID=share_id)


class SharedTime(Wire):
    """In ms."""

    created: Number
    updated: Number


class SharedSession(Wire):
    """What readers see of a session itself: no paths, rules or metadata."""

    title: str
    version: str
    cost: Number
    tokens: Tokens
    time: SharedTime


class SharedHistory(Wire):
    """A shared session with its messages, oldest first."""

    session: SharedSession
    messages: list[MessageWithParts]


class Sharing:
    """The links of one server. Off until it is told where readers reach it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._base: str | None = None

    @property
    def is_on(self) -> bool:
        return self._base is not None

    def open_at(self, base: str) -> None:
        """Allow links; ``base``: the server's address for readers."""
        self._base = base.rstrip("/")

    def link(self, share_id: str) -> str:
        return f"{self._base}/share/{share_id}"

    def add(self, tx: Transaction, session_id: SessionID) -> str:
        """The id under which a session is shared from now on; the one it has, if it has one."""
        row = (session_id, secrets.token_urlsafe(ID_BYTES), self._clock.now_ms())
        tx.execute("INSERT INTO share VALUES (?, ?, ?) ON CONFLICT (session_id) DO NOTHING", row)
        found: tuple[str] = tx.execute("SELECT id FROM share WHERE session_id = ?", (session_id,)).fetchone()
        return found[0]

    def remove(self, tx: Transaction, session_id: SessionID) -> None:
        """The link leads nowhere from now on."""
        tx.execute("DELETE FROM share WHERE session_id = ?", (session_id,))

    async def read(self, share_id: str) -> bytes:
        """A ``SharedHistory`` as JSON. Raises ``ShareNotFound``. Source: operation ``share.data`` (ours)."""
        query = (
            "SELECT session.record, session.id FROM share JOIN session ON session.id = session_id WHERE share.id = ?"
        )
        found = self._database.read(query, (share_id,)) if self.is_on else []
        if not found:
            raise ShareNotFound(share_id)
        session, session_id = _SESSION.decode(found[0][0]), found[0][1]
        messages = (await message_page(self._database, session_id, None, None)).body
        return b'{"session":' + encode(_public(session)) + b',"messages":' + messages + b"}"


class ShareService:
    """Shares the sessions of one directory, as its configuration allows."""

    def __init__(self, sharing: Sharing, database: Database, store: SessionStore, mode: ShareMode) -> None:
        self._sharing = sharing
        self._database = database
        self._store = store
        self._mode = mode

    async def share(self, session_id: SessionID) -> Session:
        """The session with its link. Publishes ``session.updated``. Source: operation ``session.share``.

        Raises ``SessionNotFound``, and ``ShareDisabled`` where configuration or operator do not allow it.
        """
        self._require(session_id)
        if self._mode == "disabled":
            raise ShareDisabled('Sharing is disabled in the configuration ("share": "disabled")')
        if not self._sharing.is_on:
            raise ShareDisabled(
                'This server does not share sessions. Its operator can allow it with "server": {"share": true} '
                "in the user's own configuration"
            )

        def change(tx: Transaction) -> Session:
            link = self._sharing.link(self._sharing.add(tx, session_id))
            return self._store.apply(
                tx, ChangeSession(session_id, lambda now: replace(now, share=SessionShare(url=link)))
            )[0]

        return await self._database.write(change)

    async def unshare(self, session_id: SessionID) -> Session:
        """The session without a link, which leads nowhere from now on. Publishes ``session.updated``.

        Raises ``SessionNotFound``. Source: operation ``session.unshare``.
        """
        self._require(session_id)

        def change(tx: Transaction) -> Session:
            self._sharing.remove(tx, session_id)
            return self._store.apply(tx, ChangeSession(session_id, lambda now: replace(now, share=UNSET)))[0]

        return await self._database.write(change)

    async def share_new(self, session: Session) -> Session:
        """A session that was just created, shared if the configuration says ``auto`` and it has no parent."""
        if self._mode != "auto" or session.parent_id is not UNSET or not self._sharing.is_on:
            return session
        return await self.share(session.id)

    def _require(self, session_id: SessionID) -> None:
        if self._store.session_json(session_id) is None:
            raise SessionNotFound(session_id)


def _public(session: Session) -> SharedSession:
    time = SharedTime(created=session.time.created, updated=session.time.updated)
    return SharedSession(
        title=session.title,
        version=session.version,
        cost=set_or(session.cost, 0),
        tokens=set_or(session.tokens, Tokens()),
        time=time,
    )
