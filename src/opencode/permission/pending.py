"""Asks while they wait, and how they end."""

from dataclasses import dataclass, field

import anyio

from opencode.core.rejection import Rejected
from opencode.permission.errors import PermissionCorrected, PermissionRejected
from opencode.permission.schema import PermissionAsked, PermissionReplied, PermissionReply, PermissionRequest


@dataclass(slots=True)
class PendingAsk:
    """An ask that waits. An orphan was found at start-up: the run that asked is gone, and nobody waits for it."""

    request: PermissionRequest
    since_ms: int
    is_orphan: bool = False
    is_settling: bool = False
    settled: anyio.Event = field(default_factory=anyio.Event)
    refusal: Rejected | None = None

    @property
    def event(self) -> PermissionAsked:
        """What is told when it begins to wait."""
        request = self.request
        return PermissionAsked(
            id=request.id,
            session_id=request.session_id,
            permission=request.permission,
            patterns=request.patterns,
            metadata=request.metadata,
            always=request.always,
            tool=request.tool,
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of one ask. ``message``: what to do instead, with a rejection."""

    ask: PendingAsk
    reply: PermissionReply
    message: str | None = None

    @property
    def event(self) -> PermissionReplied:
        """What is told of it."""
        request = self.ask.request
        return PermissionReplied(session_id=request.session_id, request_id=request.id, reply=self.reply)

    def wake(self) -> None:
        """Let the waiting call go on, or fail."""
        if self.reply == "reject":
            self.ask.refusal = PermissionCorrected(self.message) if self.message else PermissionRejected()
        self.ask.settled.set()
