"""Question requests as they are stored and sent, and their events."""

from typing import ClassVar

from opencode.core.ids import MessageID, QuestionID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event


class QuestionOption(Wire):
    """One choice."""

    label: str
    description: str


class QuestionInfo(Wire):
    """One question. ``custom`` (default true): a free answer is welcome."""

    question: str
    header: str
    options: list[QuestionOption]
    multiple: bool | UnsetType = UNSET
    custom: bool | UnsetType = UNSET


class QuestionTool(Wire):
    """The tool call that asks."""

    message_id: MessageID
    call_id: str


class QuestionRequest(Wire):
    """Questions that wait for answers."""

    id: QuestionID
    session_id: SessionID
    questions: list[QuestionInfo]
    tool: QuestionTool | UnsetType = UNSET


QuestionAnswers = list[list[str]]
"""One list of chosen labels or free text per question, in order."""


class QuestionAsked(Event):
    """Questions wait; the fields are those of the request."""

    type: ClassVar[str] = "question.asked"
    id: QuestionID
    session_id: SessionID
    questions: list[QuestionInfo]
    tool: QuestionTool | UnsetType = UNSET


class QuestionReplied(Event):
    """The questions were answered."""

    type: ClassVar[str] = "question.replied"
    session_id: SessionID
    request_id: QuestionID
    answers: QuestionAnswers


class QuestionRejected(Event):
    """The person dismissed the questions."""

    type: ClassVar[str] = "question.rejected"
    session_id: SessionID
    request_id: QuestionID
