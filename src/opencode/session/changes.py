"""What one transaction writes. Each change implies the event that tells of it."""

from collections.abc import Callable
from dataclasses import dataclass

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.event.schema import Event
from opencode.session.schema import Message, Part, Session, Todo


@dataclass(frozen=True, slots=True)
class CreateSessionRecord:
    """A new session. Publishes ``session.created``."""

    session: Session


@dataclass(frozen=True, slots=True)
class ChangeSession:
    """A session becomes what ``change`` makes of it, computed inside the transaction.

    Publishes ``session.updated`` unless ``silent``.
    """

    session_id: SessionID
    change: Callable[[Session], Session]
    silent: bool = False


@dataclass(frozen=True, slots=True)
class DeleteSession:
    """A session goes with all it has. Publishes ``session.deleted``."""

    session: Session


@dataclass(frozen=True, slots=True)
class PutMessage:
    """A message is written, new or changed. Publishes ``message.updated``."""

    message: Message


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """A message goes with its parts. Publishes ``message.removed``."""

    session_id: SessionID
    message_id: MessageID


@dataclass(frozen=True, slots=True)
class PutPart:
    """A part is written, new or changed. Publishes ``message.part.updated`` unless ``silent``."""

    part: Part
    silent: bool = False


@dataclass(frozen=True, slots=True)
class DeletePart:
    """A part goes. Publishes ``message.part.removed``."""

    session_id: SessionID
    message_id: MessageID
    part_id: PartID


@dataclass(frozen=True, slots=True)
class PutTodos:
    """The task list is replaced. Publishes ``todo.updated``."""

    session_id: SessionID
    todos: list[Todo]


@dataclass(frozen=True, slots=True)
class StartRun:
    """The session starts to run; start-up repair finds the row if the process dies."""

    session_id: SessionID
    kind: str


@dataclass(frozen=True, slots=True)
class EndRun:
    """The session runs no longer."""

    session_id: SessionID


@dataclass(frozen=True, slots=True)
class Tell:
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
    | Tell
)
