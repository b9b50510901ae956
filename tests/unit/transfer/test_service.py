"""Taking sessions in, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opencode.core.errors import Invalid
from opencode.core.ids import ProjectID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.permission.schema import PermissionRule
from opencode.project.schema import Project, ProjectTime
from opencode.session.errors import MessageTaken, SessionNotFound
from opencode.session.schema import MessageWithParts, Session, SessionShare, SessionTime, Todo
from opencode.storage.database import Database
from opencode.transfer.digest import message_content
from opencode.transfer.errors import PartTaken
from opencode.transfer.schema import ImportSession, RestoreSession
from opencode.transfer.service import SessionImports
from tests.support.event_world import NOW, open_world
from tests.support.records import PLACE, assistant_message, text_part, user_message


def session(id: str = "ses_1", **fields: Any) -> Session:
    kept: dict[str, Any] = {"project_id": ProjectID("theirs"), "directory": "/elsewhere", "title": "Talk"}
    kept |= {"version": "1.2.15", "time": SessionTime(created=1, updated=2)}
    return Session(id=SessionID(id), slug="a-b", **(kept | fields))


def question(number: int = 1, text: str = "hello", session_id: str = "ses_1") -> MessageWithParts:
    id = f"msg_{number}"
    parts = [text_part(session_id, id, f"prt_{number}a", text), text_part(session_id, id, f"prt_{number}b")]
    return MessageWithParts(info=user_message(session_id, id), parts=list(parts))


def answer(number: int = 2, session_id: str = "ses_1") -> MessageWithParts:
    id = f"msg_{number}"
    info = assistant_message(session_id, id, "msg_1")
    return MessageWithParts(info=info, parts=[text_part(session_id, id, f"prt_{number}a", "hi")])


THEIRS = Project(id=ProjectID("theirs"), worktree="/elsewhere", time=ProjectTime(created=1, updated=1))


@dataclass
class Imports:
    """What is tried, and what it wrote."""

    service: SessionImports
    database: Database

    def events(self) -> list[tuple[str, str, str]]:
        """Type, directory and project of everything that was told."""
        return self.database.read("SELECT type, directory, project FROM event ORDER BY seq")


@pytest.fixture
async def imports(tmp_path: Path) -> AsyncIterator[Imports]:
    async with open_world(tmp_path / "test.db") as world:
        yield Imports(SessionImports(world.database, world.bus, world.clock), world.database)


async def test_a_restored_session_is_stored_as_it_was_and_told_once(imports: Imports) -> None:
    todos = [Todo(id="1", content="x", status="pending", priority="high")]
    document = RestoreSession(info=session(), messages=[question(), answer()], project=THEIRS, todos=todos)
    done = await imports.service.restore(document)
    assert (done.session, done.created, done.messages, done.parts) == (session(), True, 2, 3)
    stored = await imports.service.content(SessionID("ses_1"))
    assert (stored.session, stored.todos) == (session(), todos)
    assert stored.messages == [message_content(question()), message_content(answer())]
    assert imports.events() == [
        ("project.updated", "global", "theirs"),
        ("session.created", "/elsewhere", "theirs"),
        ("todo.updated", "/elsewhere", "theirs"),
    ]


async def test_restoring_again_writes_and_tells_nothing(imports: Imports) -> None:
    document = RestoreSession(info=session(), messages=[question()], project=THEIRS, replace=True)
    await imports.service.restore(document)
    told = imports.events()
    done = await imports.service.restore(document)
    assert (done.created, done.messages, done.parts) == (False, 0, 0)
    assert imports.events() == told


async def test_what_was_added_since_is_added_and_told_record_by_record(imports: Imports) -> None:
    await imports.service.restore(RestoreSession(info=session(), messages=[question()]))
    later = session(title="Longer talk")
    done = await imports.service.restore(RestoreSession(info=later, messages=[question(), answer()], replace=True))
    assert (done.session, done.messages, done.parts) == (later, 1, 1)
    stored = await imports.service.content(SessionID("ses_1"))
    assert [message.id for message in stored.messages] == ["msg_1", "msg_2"]
    assert [type for type, *_ in imports.events()] == [
        "session.created", "message.updated", "message.part.updated", "session.updated",
    ]  # fmt: skip


async def test_records_that_differ_stay_unless_they_are_to_be_replaced(imports: Imports) -> None:
    await imports.service.restore(RestoreSession(info=session(), messages=[question()]))
    other = RestoreSession(info=session(), messages=[question(text="changed")])
    assert (await imports.service.restore(other)).parts == 0
    assert (await imports.service.content(SessionID("ses_1"))).messages == [message_content(question())]
    assert (await imports.service.restore(replace(other, replace=True))).parts == 1
    assert (await imports.service.content(SessionID("ses_1"))).messages == [message_content(question(text="changed"))]


async def test_a_known_project_is_not_replaced(imports: Imports) -> None:
    await imports.service.restore(RestoreSession(info=session(), messages=[], project=THEIRS))
    older = replace(THEIRS, name="Old name")
    await imports.service.restore(RestoreSession(info=session("ses_2"), messages=[], project=older))
    ((record,),) = imports.database.read("SELECT record FROM project")
    assert b"Old name" not in record


async def test_an_adopted_session_becomes_one_of_the_place(imports: Imports) -> None:
    exported = session(parent_id=SessionID("ses_unknown"), share=SessionShare(url="https://elsewhere"))
    done = await imports.service.adopt(ImportSession(info=exported, messages=[question()]), PLACE)
    assert done.session == replace(
        session(),
        project_id=PLACE.project_id,
        directory=str(PLACE.directory),
        path="sub",
        time=SessionTime(created=1, updated=NOW),
    )
    assert imports.events() == [("session.created", str(PLACE.directory), "p1")]


async def test_an_adopted_session_keeps_a_parent_that_is_here(imports: Imports) -> None:
    await imports.service.adopt(ImportSession(info=session(), messages=[]), PLACE)
    child = session("ses_2", parent_id=SessionID("ses_1"))
    done = await imports.service.adopt(ImportSession(info=child, messages=[]), PLACE)
    assert done.session.parent_id == "ses_1"


async def test_adopting_a_known_session_adds_what_it_lacks_and_leaves_the_rest(imports: Imports) -> None:
    await imports.service.restore(RestoreSession(info=session(), messages=[question()]))
    changed = session(title="Other title")
    document = ImportSession(info=changed, messages=[question(text="changed"), answer()])
    done = await imports.service.adopt(document, PLACE)
    assert done.session == session(time=SessionTime(created=1, updated=NOW))
    assert (done.created, done.messages, done.parts) == (False, 1, 1)
    stored = await imports.service.content(SessionID("ses_1"))
    assert stored.messages == [message_content(question()), message_content(answer())]
    again = await imports.service.adopt(document, PLACE)
    assert (again.messages, again.parts) == (0, 0)


@pytest.mark.parametrize(
    ("taken", "error"),
    [
        (MessageWithParts(info=user_message("ses_2", "msg_1"), parts=[]), MessageTaken),
        (
            MessageWithParts(info=user_message("ses_2", "msg_9"), parts=[text_part("ses_2", "msg_9", "prt_1a")]),
            PartTaken,
        ),
    ],
)
async def test_ids_of_another_session_are_refused_and_nothing_is_stored(
    imports: Imports, taken: MessageWithParts, error: type[Exception]
) -> None:
    await imports.service.restore(RestoreSession(info=session(), messages=[question()]))
    document = RestoreSession(info=session("ses_2"), messages=[question(8, session_id="ses_2"), taken], replace=True)
    with pytest.raises(error):
        await imports.service.restore(document)
    with pytest.raises(SessionNotFound):
        await imports.service.content(SessionID("ses_2"))
    assert [type for type, *_ in imports.events()] == ["session.created"]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (question(session_id="ses_2"), "messages[0].info.sessionID"),
        (replace(question(), parts=[text_part("ses_1", "msg_2", "prt_1a")]), "messages[0].parts[0].messageID"),
    ],
)
async def test_a_record_below_the_wrong_owner_is_refused_with_its_place(
    imports: Imports, message: MessageWithParts, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await imports.service.restore(RestoreSession(info=session(), messages=[message]))
    assert refused.value.fields == {"field": field}


async def test_nothing_is_left_of_compacting_when_a_session_is_adopted(imports: Imports) -> None:
    busy = session(time=SessionTime(created=1, updated=2, compacting=3))
    done = await imports.service.adopt(ImportSession(info=busy, messages=[]), PLACE)
    assert done.session.time.compacting is UNSET


async def test_an_exported_session_brings_no_permission_to_do_something(imports: Imports) -> None:
    rules = [PermissionRule(permission="*", pattern="*", action=action) for action in ("allow", "ask", "deny")]
    done = await imports.service.adopt(ImportSession(info=session(permission=rules), messages=[]), PLACE)
    assert done.session.permission == rules[1:]


async def test_a_directory_that_cannot_be_is_refused(imports: Imports) -> None:
    with pytest.raises(Invalid, match="zero character"):
        await imports.service.restore(RestoreSession(info=session(directory="/a\0b"), messages=[]))
