"""Asks a person before a tool does what no rule allows (spec: agents and permissions, 3.5 and 3.6)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, PermissionID, SessionID
from opencode.core.wire import UNSET
from opencode.event.asks import Ask, AskKind, Asks, OrphanFailed, Settlement, ignore
from opencode.event.bus import EventPublisher
from opencode.event.unattended import Unattended
from opencode.permission.errors import (
    PermissionCorrected,
    PermissionDenied,
    PermissionRejected,
    PermissionRequestNotFound,
)
from opencode.permission.grants import OneShotGrants
from opencode.permission.ruleset import evaluate, relevant_rules
from opencode.permission.schema import (
    PermissionAsked,
    PermissionReplied,
    PermissionReply,
    PermissionRequest,
    PermissionRule,
    PermissionRuleset,
    ToolCallRef,
)
from opencode.storage.database import Database

PendingAsk = Ask[PermissionRequest, PermissionReply]
OrphanReplied = Callable[[PermissionRequest, PermissionReply, str | None], Awaitable[None]]

REJECTED_UNATTENDED = "The server rejected permission to use this specific tool call"


class PermissionService:
    """The asks of one directory. Each is a row until it is settled, so it can be answered after a restart too.

    "Always" holds for this directory until the process ends.
    """

    def __init__(
        self,
        database: Database,
        events: EventPublisher,
        ids: IdGenerator,
        clock: Clock,
        directory: str,
        on_orphan_reply: OrphanReplied,
        *,
        unattended: Unattended | None = None,
        on_orphan_failed: OrphanFailed = ignore,
    ) -> None:
        self.unattended = unattended or Unattended()
        """What happens to asks that nobody is there to answer."""
        kind = AskKind("permission_request", PermissionRequest, _asked, lambda request: _replied(request, "reject"))
        self._asks: Asks[PermissionRequest, PermissionReply] = Asks(
            database, events, clock, directory, kind, self.unattended
        )
        self._ids = ids
        self._on_orphan_reply = on_orphan_reply
        self._on_orphan_failed = on_orphan_failed
        self._approved: PermissionRuleset = []
        self._grants = OneShotGrants()

    async def restore(self) -> None:
        """Offer the asks of an earlier process again; to be called once, before any other ask."""
        await self._asks.restore()

    async def expire(self) -> None:
        """Settle asks that nobody could answer in time. Runs until cancelled."""
        await self._asks.expire(self._give_up)

    def pending(self) -> list[PermissionRequest]:
        """What waits for a reply, oldest first."""
        return [ask.request for ask in self._asks.waiting()]

    def waits(self, session_id: SessionID | None = None) -> list[PendingAsk]:
        """The same, with since when each waits and until when; of one session, or of all."""
        return self._asks.waiting(session_id)

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
        rules_only: bool = False,
    ) -> None:
        """Return once every pattern is allowed, by rule or by a person; with ``rules_only`` ask no person.

        Publishes ``permission.asked`` when a person must decide. Raises ``PermissionDenied`` when a rule forbids
        one of the patterns, ``PermissionRejected`` or ``PermissionCorrected`` when the person does, and what the
        policy for unattended servers says when nobody is there.
        """
        rules = (*rulesets, self._approved)
        actions = {evaluate(permission, pattern, *rules).action for pattern in patterns}
        if "deny" in actions:
            raise PermissionDenied(relevant_rules(permission, *rules))
        if rules_only or "ask" not in actions or self._grants.take(session_id, permission, patterns):
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
        await self._asks.wait(request, replaces=[_settlement(orphan, "reject") for orphan in self._orphans_of(request)])

    async def reply(self, request_id: PermissionID, reply: PermissionReply, message: str | None = None) -> None:
        """Settle an ask, and those of the same session that follow from it.

        A rejection rejects the others too; "always" also allows those that the new rules cover. Publishes
        ``permission.replied`` for each. Raises ``PermissionRequestNotFound``.
        """
        ask = self._asks.get(request_id)
        if ask is None:
            raise PermissionRequestNotFound(request_id)
        allowed = self._allowed_by(ask.request) if reply == "always" else []
        settlements = [_settlement(ask, reply, message), *self._consequences(ask, reply, allowed)]
        await self._asks.settle(settlements)
        self._approved = [*self._approved, *allowed]
        for settlement in settlements:
            if settlement.ask.is_orphan:
                await self._resume(settlement.ask.request, reply, message if settlement.ask is ask else None)

    async def drop_session(self, session_id: SessionID) -> None:
        """Reject whatever the session asks: it was aborted or deleted. Nothing is resumed."""
        self._grants.drop(session_id)
        await self._asks.settle([_settlement(ask, "reject") for ask in self._asks.waiting(session_id)])

    async def _give_up(self, asks: Sequence[PendingAsk]) -> None:
        refusal = self.unattended.refusal(REJECTED_UNATTENDED)
        await self._asks.settle([Settlement(ask, _replied(ask.request, "reject"), refusal) for ask in asks])
        for ask in asks:
            if ask.is_orphan:
                await self._on_orphan_failed(ask.request.session_id, refusal)

    def _allowed_by(self, request: PermissionRequest) -> PermissionRuleset:
        """The rules that "always" adds."""
        return [
            PermissionRule(permission=request.permission, pattern=pattern, action="allow")
            for pattern in request.always
            if evaluate(request.permission, pattern, self._approved).action != "allow"
        ]

    def _consequences(
        self, ask: PendingAsk, reply: PermissionReply, allowed: PermissionRuleset
    ) -> list[Settlement[PermissionRequest, PermissionReply]]:
        others = [other for other in self._asks.waiting(ask.request.session_id) if other is not ask]
        match reply:
            case "once":
                return []
            case "reject":
                return [_settlement(other, "reject") for other in others]
            case "always":
                rules = [*self._approved, *allowed]
                return [_settlement(other, "always") for other in others if _is_covered(other.request, rules)]

    async def _resume(self, request: PermissionRequest, reply: PermissionReply, message: str | None) -> None:
        """Tell the loop that an ask of an earlier process is settled; the call that is made again will pass."""
        if reply != "reject":
            self._grants.add(request.session_id, request.permission, request.patterns)
        with anyio.CancelScope(shield=True):
            await self._on_orphan_reply(request, reply, message)

    def _orphans_of(self, request: PermissionRequest) -> list[PendingAsk]:
        """Orphans that the session asks again: the new ask takes their place."""
        return [
            ask
            for ask in self._asks.waiting(request.session_id)
            if ask.is_orphan
            and (ask.request.permission, ask.request.patterns) == (request.permission, request.patterns)
        ]


def _settlement(
    ask: PendingAsk, reply: PermissionReply, message: str | None = None
) -> Settlement[PermissionRequest, PermissionReply]:
    """What a reply does to an ask. ``message``: what to do instead, with a rejection."""
    refusal = None
    if reply == "reject":
        refusal = PermissionCorrected(message) if message else PermissionRejected()
    return Settlement(ask, _replied(ask.request, reply), refusal, reply)


def _asked(request: PermissionRequest) -> PermissionAsked:
    return PermissionAsked(
        id=request.id,
        session_id=request.session_id,
        permission=request.permission,
        patterns=request.patterns,
        metadata=request.metadata,
        always=request.always,
        tool=request.tool,
    )


def _replied(request: PermissionRequest, reply: PermissionReply) -> PermissionReplied:
    return PermissionReplied(session_id=request.session_id, request_id=request.id, reply=reply)


def _is_covered(request: PermissionRequest, approved: PermissionRuleset) -> bool:
    return all(evaluate(request.permission, pattern, approved).action == "allow" for pattern in request.patterns)
