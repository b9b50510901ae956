"""Asks a person before a tool does what no rule allows (spec: agents and permissions, 3.5 and 3.6)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, PermissionID, SessionID
from opencode.core.wire import UNSET
from opencode.event.bus import EventPublisher
from opencode.permission.errors import PermissionDenied, PermissionRequestNotFound
from opencode.permission.grants import OneShotGrants
from opencode.permission.pending import PendingAsk, Settlement
from opencode.permission.ruleset import evaluate, relevant_rules
from opencode.permission.schema import (
    PermissionReply,
    PermissionRequest,
    PermissionRule,
    PermissionRuleset,
    ToolCallRef,
)
from opencode.permission.store import PermissionStore
from opencode.storage.database import Database, Transaction

OrphanReplied = Callable[[PermissionRequest, PermissionReply, str | None], Awaitable[None]]


class PermissionService:
    """The asks of one directory. Each is a row until it is settled, so it can be answered after a restart too.

    An ask waits without limit; their number is bounded by the tool calls that run. "Always" holds for this
    directory until the process ends.
    """

    def __init__(
        self,
        database: Database,
        events: EventPublisher,
        ids: IdGenerator,
        clock: Clock,
        directory: str,
        on_orphan_reply: OrphanReplied,
    ) -> None:
        self._database = database
        self._store = PermissionStore(database, directory)
        self._events = events
        self._ids = ids
        self._clock = clock
        self._on_orphan_reply = on_orphan_reply
        self._pending: dict[PermissionID, PendingAsk] = {}
        self._approved: PermissionRuleset = []
        self._grants = OneShotGrants()

    async def restore(self) -> None:
        """Offer the asks of an earlier process again; to be called once, before any other ask."""
        for request, since_ms in self._store.all():
            self._pending[request.id] = PendingAsk(request, since_ms, is_orphan=True)

    def pending(self) -> list[PermissionRequest]:
        """What waits for a reply, oldest first."""
        return [ask.request for ask in self.waits()]

    def waits(self) -> list[PendingAsk]:
        """The same, with since when each waits and whether a run waits for it."""
        return [ask for ask in self._pending.values() if not ask.is_settling]

    async def ask(
        self,
        *,
        session_id: SessionID,
        permission: str,
        patterns: list[str],
        always: list[str],
        metadata: dict[str, Any],
        tool: ToolCallRef | None,
        rulesets: Sequence[PermissionRuleset],
    ) -> None:
        """Return once every pattern is allowed, by rule or by a person.

        Publishes ``permission.asked`` when a person must decide. Raises ``PermissionDenied`` when a rule forbids
        one of the patterns, ``PermissionRejected`` or ``PermissionCorrected`` when the person does.
        """
        rules = (*rulesets, self._approved)
        actions = {evaluate(permission, pattern, *rules).action for pattern in patterns}
        if "deny" in actions:
            raise PermissionDenied(relevant_rules(permission, *rules))
        if "ask" not in actions or self._grants.take(session_id, permission, patterns):
            return
        request = PermissionRequest(
            id=self._ids.permission(),
            session_id=session_id,
            permission=permission,
            patterns=patterns,
            metadata=metadata,
            always=always,
            tool=UNSET if tool is None else tool,
        )
        await self._wait_for_reply(PendingAsk(request, self._clock.now_ms()))

    async def reply(self, request_id: PermissionID, reply: PermissionReply, message: str | None = None) -> None:
        """Settle an ask, and those of the same session that follow from it.

        A rejection rejects the others too; "always" also allows those that the new rules cover. Publishes
        ``permission.replied`` for each. Raises ``PermissionRequestNotFound``.
        """
        ask = self._pending.get(request_id)
        if ask is None or ask.is_settling:
            raise PermissionRequestNotFound(request_id)
        allowed = self._allowed_by(ask.request) if reply == "always" else []
        settlements = [Settlement(ask, reply, message), *self._consequences(ask, reply, allowed)]
        await self._settle(settlements)
        self._approved = [*self._approved, *allowed]
        for settlement in settlements:
            settlement.wake()
        for settlement in settlements:
            if settlement.ask.is_orphan:
                await self._resume(settlement)

    async def drop_session(self, session_id: SessionID) -> None:
        """Reject whatever the session asks: it was aborted or deleted. Nothing is resumed."""
        self._grants.drop(session_id)
        dropped = [Settlement(ask, "reject") for ask in self._of_session(session_id)]
        if dropped:
            await self._settle(dropped)
        for settlement in dropped:
            settlement.wake()

    async def _wait_for_reply(self, ask: PendingAsk) -> None:
        replaced = [Settlement(orphan, "reject") for orphan in self._orphans_like(ask.request)]
        self._pending[ask.request.id] = ask
        try:
            await self._settle(replaced, added=ask)
            await ask.settled.wait()
        except BaseException:
            if not ask.is_settling:
                await self._settle([Settlement(ask, "reject")])
            raise
        if ask.refusal is not None:
            raise ask.refusal

    def _allowed_by(self, request: PermissionRequest) -> PermissionRuleset:
        """The rules that "always" adds."""
        return [
            PermissionRule(permission=request.permission, pattern=pattern, action="allow")
            for pattern in request.always
            if evaluate(request.permission, pattern, self._approved).action != "allow"
        ]

    def _consequences(self, ask: PendingAsk, reply: PermissionReply, allowed: PermissionRuleset) -> list[Settlement]:
        others = [other for other in self._of_session(ask.request.session_id) if other is not ask]
        match reply:
            case "once":
                return []
            case "reject":
                return [Settlement(other, "reject") for other in others]
            case "always":
                rules = [*self._approved, *allowed]
                return [Settlement(other, "always") for other in others if _is_covered(other.request, rules)]

    async def _settle(self, settlements: Sequence[Settlement], added: PendingAsk | None = None) -> None:
        """Take asks off the list and out of the table, and announce it, in one transaction; all of it or nothing.

        Not interruptible: who asks knows afterwards that the row is there, and a caller that goes away does not
        leave a decision half made.
        """

        def change(tx: Transaction) -> None:
            self._store.remove(tx, [settlement.ask.request.id for settlement in settlements])
            self._events.append(tx, *(settlement.event for settlement in settlements))
            if added is not None:
                self._store.add(tx, added.request, added.since_ms)
                self._events.append(tx, added.event)

        for settlement in settlements:
            settlement.ask.is_settling = True
        try:
            with anyio.CancelScope(shield=True):
                await self._database.write(change)
        except BaseException:
            for settlement in settlements:
                settlement.ask.is_settling = False
            raise
        for settlement in settlements:
            self._pending.pop(settlement.ask.request.id, None)

    async def _resume(self, settlement: Settlement) -> None:
        """Tell the loop that an ask of an earlier process is settled; the call that is made again will pass."""
        request = settlement.ask.request
        if settlement.reply != "reject":
            self._grants.add(request.session_id, request.permission, request.patterns)
        with anyio.CancelScope(shield=True):
            await self._on_orphan_reply(request, settlement.reply, settlement.message)

    def _of_session(self, session_id: SessionID) -> list[PendingAsk]:
        return [ask for ask in self.waits() if ask.request.session_id == session_id]

    def _orphans_like(self, request: PermissionRequest) -> list[PendingAsk]:
        """Orphans that the session asks again: the new ask takes their place."""
        return [
            ask
            for ask in self._of_session(request.session_id)
            if ask.is_orphan
            and (ask.request.permission, ask.request.patterns) == (request.permission, request.patterns)
        ]


def _is_covered(request: PermissionRequest, approved: PermissionRuleset) -> bool:
    return all(evaluate(request.permission, pattern, approved).action == "allow" for pattern in request.patterns)
