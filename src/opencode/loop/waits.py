"""What a session can wait for (operation ``session.why``). Times are in ms; texts hold no arguments of calls."""

from typing import Literal

from opencode.core.ids import MessageID, ModelID, PartID, PermissionID, ProviderID, QuestionID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.unattended import UnattendedPolicy
from opencode.loop.budgets import BudgetState
from opencode.session.schema import SessionStatus


class Release(Wire):
    """A request that ends the wait, and what it does."""

    method: Literal["POST", "DELETE"]
    path: str
    does: str


class Wait(Wire):
    """Since when, until when at the latest (absent: no limit), and the requests that would end it sooner."""

    since: int | UnsetType = UNSET
    until: int | UnsetType = UNSET
    release: list[Release] = []


class WaitModel(Wait, tag_field="type", tag="model"):
    """An answer of a model. ``phase``: whether it has begun to speak; ``until``: when the call is given up."""

    provider_id: ProviderID
    model_id: ModelID
    message_id: MessageID
    attempt: int
    phase: Literal["first-byte", "stream"]


class WaitRetry(Wait, tag_field="type", tag="retry"):
    """The next try of a model call that failed; ``until``: when it is made.

    ``attempts_left`` and ``seconds_left``: what the turn may still lose on tries, and on them and their waits.
    """

    attempt: int
    message: str
    attempts_left: int
    seconds_left: int


class WaitTool(Wait, tag_field="type", tag="tool"):
    """A tool that runs."""

    tool: str
    title: str | UnsetType = UNSET
    call_id: str
    message_id: MessageID
    part_id: PartID


class WaitPermission(Wait, tag_field="type", tag="permission"):
    """A person who allows or refuses. ``policy``: what happens at ``until``, when nobody is there to answer."""

    request_id: PermissionID
    permission: str
    patterns: list[str]
    policy: UnattendedPolicy


class WaitQuestion(Wait, tag_field="type", tag="question"):
    """A person who answers. ``policy``: as for permissions."""

    request_id: QuestionID
    questions: list[str]
    policy: UnattendedPolicy


class WaitQueue(Wait, tag_field="type", tag="queue"):
    """A queued prompt waits for its turn, or, ``held`` by an abort, for somebody to resume the queue."""

    message_id: MessageID
    held: bool


class WaitSubagent(Wait, tag_field="type", tag="subagent"):
    """A subagent, and what that waits for."""

    call_id: str
    why: "SessionWhy"


class WaitStopping(Wait, tag_field="type", tag="stopping"):
    """An abort: what ran winds down."""


class WaitCompaction(Wait, tag_field="type", tag="compaction"):
    """The history is being condensed. ``auto``: because it outgrew the model's context."""

    auto: bool


class WaitStorage(Wait, tag_field="type", tag="storage"):
    """The database takes no changes: the disk is full, the file cannot be written, ... It is tried again."""

    error: str
    message: str


class WaitWork(Wait, tag_field="type", tag="work"):
    """The server itself: it builds the next request, or takes a snapshot of the files."""


SessionWait = (
    WaitModel
    | WaitRetry
    | WaitTool
    | WaitPermission
    | WaitQuestion
    | WaitQueue
    | WaitSubagent
    | WaitStopping
    | WaitCompaction
    | WaitStorage
    | WaitWork
)


class SessionWhy(Wire):
    """What a session does and everything it waits for; nothing in ``waits``: it rests.

    ``budgets``: what may be spent and what is, where the configuration sets limits.
    """

    session_id: SessionID
    status: SessionStatus
    waits: list[SessionWait]
    budgets: list[BudgetState] | UnsetType = UNSET
