"""What is sent to import a session, and what is answered."""

from opencode.core.ids import MessageID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.project.schema import Project
from opencode.session.schema import MessageWithParts, Session, Todo


class ImportSession(Wire):
    """A session with its messages, oldest first, as ``opencode export`` prints them."""

    info: Session
    messages: list[MessageWithParts]


class RestoreSession(ImportSession):
    """A session of another data directory, or more messages of it.

    ``replace``: what is stored under the same ids becomes what is sent; otherwise it stays.
    """

    project: Project | UnsetType = UNSET
    todos: list[Todo] | UnsetType = UNSET
    replace: bool = False


class ImportedSession(Wire):
    """The session as it is stored now, and how many records were written."""

    session: Session
    created: bool
    messages: int
    parts: int


class MessageContent(Wire):
    """One message as a number: ``digest`` is over the record and its parts, byte for byte."""

    id: MessageID
    parts: int
    digest: str


class SessionContent(Wire):
    """What is stored of a session, for comparing; messages in order."""

    session: Session
    messages: list[MessageContent]
    todos: list[Todo]
