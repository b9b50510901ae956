"""Sessions of another program as our records, one at a time, with a list of what could not be read."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.project.schema import Project
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    Part,
    Session,
    SessionModel,
    Todo,
    Tokens,
    UserMessage,
)
from opencode.session.totals import with_usage
from opencode.transfer.digest import message_content
from opencode.transfer.errors import Unreadable
from opencode.transfer.message_shape import message_from
from opencode.transfer.part_shape import part_from
from opencode.transfer.record import Record, Source
from opencode.transfer.schema import MessageContent
from opencode.transfer.session_shape import placed, project_from, session_from, share_url, todos_from
from opencode.transfer.shape import UNKNOWN

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that was left out, and why."""

    place: str
    reason: str


@dataclass(slots=True)
class Problems:
    """What was left out so far, in the order it was met, each once."""

    found: dict[str, Skipped] = field(default_factory=dict)

    def add(self, place: str, reason: str) -> None:
        self.found.setdefault(place, Skipped(place, reason))

    def read(self, record: Record, shape: Callable[[Record], T]) -> T | None:
        """What the shape makes of a record; None when it cannot be read, which is noted."""
        try:
            if record.fault is not None:
                raise Unreadable(record.fault)
            return shape(record)
        except Unreadable as error:
            self.add(record.place, str(error))
            return None


@dataclass(frozen=True, slots=True)
class Outline:
    """A session as it is to be stored, and the content of its messages in order."""

    session: Session
    project: Project | None
    todos: list[Todo]
    messages: list[MessageContent]

    @property
    def parts(self) -> int:
        return sum(message.parts for message in self.messages)


class OfficialReader:
    """Reads the sessions of one source. Holds one message at a time, beside the projects."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._projects: dict[str, Project] = {}
        self.shared: dict[SessionID, str] = {}
        """The links under which OpenCode shows sessions to others."""

    def sessions(self) -> Iterator[Session]:
        """All sessions, without their messages. A damaged database ends them early, which is noted."""
        try:
            for record in self._source.projects():
                project = self._problems.read(record, lambda record: project_from(record.value))
                if project is not None:
                    self._projects[project.id] = project
            for record in self._source.sessions():
                session = self._problems.read(record, lambda record: session_from(record.value))
                if session is not None:
                    link = share_url(record.value)
                    self.shared |= {session.id: link} if link else {}
                    yield session
        except sqlite3.Error as error:
            self._problems.add(self._source.name, f"cannot be read any further: {error}")

    def outline(self, session: Session) -> Outline:
        """A first walk through a session: what is there, and what it says of the session as a whole."""
        contents: list[MessageContent] = []
        described, describes, counts = session, session.model is UNSET, session.tokens == Tokens()
        for message in self.messages(session):
            contents.append(message_content(message))
            info = message.info
            if isinstance(info, UserMessage):
                described = with_prompt(described, info) if describes else described
            elif counts:
                described = with_usage(described, info.tokens, info.cost)
        project = self._projects.get(session.project_id)
        return Outline(placed(described, project), project, self._todos(session.id), contents)

    def messages(self, session: Session) -> Iterator[MessageWithParts]:
        """A session's messages, oldest first; what cannot be read is left out and noted."""
        asked = MessageID("")
        try:
            for record, parts in self._source.messages(session.id):
                read = self._message(session, asked)
                info = self._problems.read(record, read)
                if info is None:
                    continue
                if isinstance(info, UserMessage):
                    asked = info.id
                yield MessageWithParts(info=info, parts=list(self._parts(info, parts)))
        except sqlite3.Error as error:
            self._problems.add(f"messages of {session.id}", f"cannot be read any further: {error}")

    def _message(self, session: Session, asked: str) -> Callable[[Record], UserMessage | AssistantMessage]:
        return lambda record: message_from(record.value, session.id, session.directory, asked)

    def _parts(self, info: UserMessage | AssistantMessage, records: list[Record]) -> Iterator[Part]:
        def shape(record: Record) -> Part:
            return part_from(record.value, info.session_id, info.id, info.time.created)

        for record in records:
            part = self._problems.read(record, shape)
            if part is not None:
                yield part

    def _todos(self, session_id: SessionID) -> list[Todo]:
        try:
            record = self._source.todos(session_id)
        except sqlite3.Error as error:
            record = Record(f"todos of {session_id}", fault=str(error))
        return (record and self._problems.read(record, lambda record: todos_from(record.value))) or []


def with_prompt(session: Session, prompt: UserMessage) -> Session:
    """The session with the agent of a prompt, and its model where the prompt says one."""
    if prompt.model.provider_id == UNKNOWN:
        return replace(session, agent=prompt.agent)
    variant = "default" if prompt.variant is UNSET else prompt.variant
    model = SessionModel(id=prompt.model.model_id, provider_id=prompt.model.provider_id, variant=variant)
    return replace(session, agent=prompt.agent, model=model)
