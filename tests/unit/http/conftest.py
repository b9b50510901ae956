"""A small application of its own operations, and a client in process."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from opencode.core.errors import Conflict, NotFound
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.http.answer import Later, Raw, Stream
from opencode.http.app import Application
from opencode.http.operation import operation
from opencode.http.request import Request
from opencode.http.table import OperationTable


class Note(Wire):
    id: str
    text: str


class NoteTime(Wire):
    archived: int | UnsetType = UNSET


class NoteTag(Wire):
    name: str
    color: str | UnsetType = UNSET


class NoteBody(Wire):
    text: str
    tags: list[NoteTag] | UnsetType = UNSET
    time: NoteTime | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class NoteQuery(Wire):
    roots: bool | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    search: str | UnsetType = UNSET


class Busy(Conflict):
    name = "SessionBusyError"
    tag = "SessionBusyError"


class FakeInstance:
    """What handlers get: it knows its directory and what was done after answers."""

    def __init__(self, directory: str) -> None:
        self.directory = directory


class FakeRegistry:
    """Instances by directory; remembers which were opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def get(self, directory: str) -> FakeInstance | None:
        return FakeInstance(directory) if directory in self.opened else None

    async def open(self, directory: str) -> FakeInstance:
        self.opened.append(directory)
        return FakeInstance(directory)


class Deeds(list[str]):
    """What was done, in order; shared by the handlers of one application."""


@operation("where.get", "GET", "/where")
async def where(instance: FakeInstance) -> str:
    """The directory."""
    return instance.directory


@operation("note.list", "GET", "/note")
async def notes(query: NoteQuery) -> NoteQuery:
    """What was asked."""
    return query


@operation("note.create", "POST", "/note")
async def create(body: NoteBody) -> NoteBody:
    """What was sent."""
    return body


@operation("note.get", "GET", "/note/{name}")
async def get(name: str) -> Note:
    """A note."""
    if name == "missing":
        raise NotFound("Note not found: missing")
    if name == "broken":
        raise RuntimeError("secret details")
    if name == "busy":
        raise Busy("Session is busy: ses_1", sessionID="ses_1")
    return Note(id=name, text="x")


@operation("note.raw", "GET", "/raw/{size}")
async def raw(size: str) -> Raw[str]:
    """Stored bytes."""
    return Raw(b'"' + b"x" * int(size) + b'"', ((b"x-next-cursor", b"c"),))


@operation("session.where", "GET", "/session/{sessionID}/where", errors=("NotFoundError",))
async def session_where(instance: FakeInstance, session_id: SessionID) -> str:
    """The directory of a session."""
    return f"{session_id} in {instance.directory}"


@operation("note.later", "POST", "/later")
async def later(shared: Deeds) -> Later[bool]:
    """Answers first."""

    async def then() -> None:
        shared.append("after")

    return Later(True, then)


@operation("note.fails", "POST", "/later/fails")
async def later_fails() -> Later[bool]:
    """Answers first and fails afterwards."""

    async def then() -> None:
        raise RuntimeError("afterwards")

    return Later(True, then)


@operation("note.forget", "DELETE", "/note/{name}", status=204)
async def forget(name: str) -> None:
    """Nothing."""


async def _events(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b"data: 1\n\n"})


@operation("note.events", "GET", "/events")
async def events(request: Request) -> Stream[str]:
    """A stream."""
    return Stream(_events)


OPERATIONS = (where, notes, create, get, raw, session_where, later, later_fails, forget, events)


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def deeds() -> Deeds:
    return Deeds()


@pytest.fixture
def table() -> OperationTable:
    return OperationTable(OPERATIONS)


@pytest.fixture
def application(table: OperationTable, registry: FakeRegistry, deeds: Deeds) -> Application:
    stored = {"ses_1": "/stored"}
    return Application(table, registry, working_directory="/cwd", directory_of_session=stored.get, shared=deeds)


@pytest.fixture
async def client(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4096") as client:
        yield client
