"""What one transaction writes. Each change implies the event that tells of it.

Structs, not dataclasses: those take ten times as long to be defined, at every start.
"""

from collections.abc import Callable

import msgspec

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.event.schema import Event
from opencode.session.schema import Message, Number, Part, Session, Todo


class CreateSessionRecord(msgspec.Struct, frozen=True):
    """A new session. Publishes ``session.created``."""

    session: Session


class ChangeSession(msgspec.Struct, frozen=True):
    """A session becomes what ``change`` makes of it, computed inside the transaction.

    ``touches`` says that it counts as work on the session, which lists then show first: ``time.updated`` is now.
    Publishes ``session.updated`` unless ``silent``.
    """

    session_id: SessionID
    change: Callable[[Session], Session]
    silent: bool = False
    touches: bool = False


class DeleteSession(msgspec.Struct, frozen=True):
    """A session goes with all it has. Publishes ``session.deleted``."""

    session: Session


class PutMessage(msgspec.Struct, frozen=True):
    """A message is written, new or changed. Publishes ``message.updated`` unless ``silent``."""

    message: Message
    silent: bool = False


class DeleteMessage(msgspec.Struct, frozen=True):
    """A message goes with its parts. Publishes ``message.removed``."""

    session_id: SessionID
    message_id: MessageID


class PutPart(msgspec.Struct, frozen=True):
    """A part is written, new or changed. Publishes ``message.part.updated`` unless ``silent``."""

    part: Part
    silent: bool = False


class DeletePart(msgspec.Struct, frozen=True):
    """A part goes. Publishes ``message.part.removed``."""

    session_id: SessionID
    message_id: MessageID
    part_id: PartID


class PutTodos(msgspec.Struct, frozen=True):
    """The task list is replaced. Publishes ``todo.updated``."""

    session_id: SessionID
    todos: list[Todo]


class StartRun(msgspec.Struct, frozen=True):
    """The session starts to run; start-up repair finds the row if the process dies."""

    session_id: SessionID
    kind: str


class EndRun(msgspec.Struct, frozen=True):
    """The session runs no longer."""

    session_id: SessionID


class AddSpending(msgspec.Struct, frozen=True):
    """What a call of a model has used counts for the session's root and for the day, ``YYYY-MM-DD``."""

    session_id: SessionID
    day: str
    usd: Number
    tokens: Number


class Tell(msgspec.Struct, frozen=True):
    """An event without a record of its own."""

    event: Event


Change = (
    CreateSessionRecord
    | ChangeSession
    | DeleteSession
    | PutMessage
    | DeleteMessage
    | PutPart
    | DeletePart
    | PutTodos
    | StartRun
    | EndRun
    | AddSpending
    | Tell
)
