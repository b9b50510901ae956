"""What can be wrong with a request about sessions."""

from opencode.core.errors import Conflict, Invalid, NotFound
from opencode.core.ids import MessageID, PartID, SessionID


class SessionNotFound(NotFound):
    """No session has this id."""

    def __init__(self, session_id: SessionID) -> None:
        super().__init__(f"Session not found: {session_id}", sessionID=session_id)


class MessageNotFound(NotFound):
    """The session, or any session, has no message of this id."""

    def __init__(self, session_id: SessionID | None, message_id: MessageID) -> None:
        where = {} if session_id is None else {"sessionID": session_id}
        super().__init__(f"Message not found: {message_id}", **where, messageID=message_id)


class PartNotFound(NotFound):
    """The message has no part of this id."""

    def __init__(self, message_id: MessageID, part_id: PartID) -> None:
        super().__init__(f"Part not found: {part_id}", messageID=message_id, partID=part_id)


class SessionBusy(Conflict):
    """The session runs, and what was asked needs it idle."""

    name = "SessionBusyError"
    tag = "SessionBusyError"

    def __init__(self, session_id: SessionID) -> None:
        super().__init__(f"Session is busy: {session_id}", sessionID=session_id)


class MessageTaken(Conflict):
    """A prompt brought the id of a message of another session."""

    def __init__(self, message_id: MessageID) -> None:
        super().__init__(f"Message id is taken: {message_id}", messageID=message_id)


class PromptAborted(Conflict):
    """The session was aborted before the prompt was sent."""

    def __init__(self, session_id: SessionID) -> None:
        super().__init__(f"The session was aborted before the prompt was sent: {session_id}", sessionID=session_id)


class InvalidCursor(Invalid):
    """``before`` is no cursor of ours, or came without ``limit``."""
