"""Sessions: created, listed, changed and removed, with the events that tell of it."""

import json
import re

import anyio
import msgspec
import pytest

from opencode.core.clock import SystemClock
from opencode.core.errors import Invalid
from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET
from opencode.permission.schema import PermissionRule
from opencode.session.changes import PutMessage, PutPart
from opencode.session.errors import InvalidCursor, MessageNotFound, PartNotFound, SessionNotFound
from opencode.session.inputs import CreateSession, GlobalSessionFilter, SessionFilter, UpdateSession, UpdateSessionTime
from opencode.session.schema import Todo
from tests.support.records import text_part, user_message
from tests.unit.session.conftest import Sessions

MISSING = SessionID("ses_missing")


async def test_a_new_session_has_a_default_title_and_belongs_to_its_directory(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    assert re.match(r"^New session - \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", session.title)
    assert (session.project_id, session.directory, session.path) == ("p1", "/home/user/tree/sub", "sub")
    assert re.match(r"^[a-z]+-[a-z]+$", session.slug)
    assert sessions.told == ["session.created"]
    assert msgspec.json.decode(sessions.service.get_raw(session.id)) == msgspec.to_builtins(session)


async def test_a_child_session_names_its_parent(sessions: Sessions) -> None:
    parent = await sessions.service.create(CreateSession(title="parent"))
    child = await sessions.service.create(CreateSession(parent_id=parent.id))
    assert child.title.startswith("Child session - ")
    assert await sessions.service.children(parent.id) == [child]


async def test_a_child_of_an_unknown_session_is_refused(sessions: Sessions) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.service.create(CreateSession(parent_id=MISSING))


async def test_unknown_sessions_are_not_found_by_any_reader(sessions: Sessions) -> None:
    service = sessions.service
    for call in (
        service.get(MISSING),
        service.children(MISSING),
        service.messages(MISSING, None, None),
        service.message_raw(MISSING, MessageID("msg_1")),
        service.todos(MISSING),
        service.delete(MISSING),
        service.update(MISSING, UpdateSession(title="x")),
    ):
        with pytest.raises(SessionNotFound):
            await call
    with pytest.raises(SessionNotFound):
        service.get_raw(MISSING)
    with pytest.raises(SessionNotFound):
        service.few_messages(MISSING, None, None)


async def test_each_given_field_is_set_and_told(sessions: Sessions) -> None:
    rule = PermissionRule(permission="bash", pattern="*", action="ask")
    session = await sessions.service.create(CreateSession(permission=[rule]))
    wanted = UpdateSession(title="new", permission=[rule], time=UpdateSessionTime(archived=7), metadata={"a": 1})
    updated = await sessions.service.update(session.id, wanted)
    assert (updated.title, updated.permission, updated.metadata) == ("new", [rule, rule], {"a": 1})
    assert updated.time.archived == 7
    assert sessions.told == ["session.created", *["session.updated"] * 4]


@pytest.mark.parametrize(
    ("wanted", "is_work"),
    [
        (UpdateSession(title="new"), False),
        (UpdateSession(time=UpdateSessionTime(archived=7)), False),
        (UpdateSession(metadata={"a": 1}), True),
        (UpdateSession(permission=[PermissionRule(permission="bash", pattern="*", action="ask")]), True),
    ],
)
async def test_rules_and_metadata_are_work_on_a_session_its_title_and_the_archive_are_not(
    sessions: Sessions, wanted: UpdateSession, is_work: bool
) -> None:
    session = await sessions.service.create(CreateSession())
    with anyio.fail_after(20):
        while SystemClock().now_ms() <= session.time.updated:
            await anyio.lowlevel.checkpoint()
    updated = await sessions.service.update(session.id, wanted)
    assert (updated.time.updated > session.time.updated) == is_work


async def test_lists_are_newest_first_and_can_be_narrowed(sessions: Sessions) -> None:
    service = sessions.service
    one = await service.create(CreateSession(title="First 100%"))
    two = await service.create(CreateSession(title="Second"))
    child = await service.create(CreateSession(title="child", parent_id=one.id))

    async def ids(**wanted: object) -> set[str]:
        listed = json.loads(service.list_raw(SessionFilter(**wanted)))  # type: ignore[arg-type]
        return {session["id"] for session in listed}

    assert await ids() == {one.id, two.id, child.id}
    assert await ids(roots=True) == {one.id, two.id}
    assert await ids(search="100%") == {one.id}
    assert await ids(search="SECOND") == {two.id}
    assert await ids(limit=0) == set()
    assert await ids(limit=-1) == {one.id, two.id, child.id}
    assert await ids(directory="/elsewhere") == set()
    assert await ids(directory="/elsewhere", scope="project") == {one.id, two.id, child.id}
    assert await ids(path="sub") == {one.id, two.id, child.id}
    assert await ids(path="su") == set()
    assert await ids(start=one.time.created + 10**9) == set()


async def test_the_global_list_pages_by_time_and_hides_archived_sessions(sessions: Sessions) -> None:
    service = sessions.service
    made = [await service.create(CreateSession(title=str(n))) for n in range(3)]
    await service.update(made[0].id, UpdateSession(time=UpdateSessionTime(archived=1)))
    page = await service.list_global(GlobalSessionFilter(limit=1))
    assert len(json.loads(page.body)) == 1
    assert json.loads(page.body)[0]["project"] is None
    assert page.next_cursor is not None
    everything = await service.list_global(GlobalSessionFilter(archived=True))
    assert len(json.loads(everything.body)) == 3


async def test_messages_come_in_order_with_their_parts_and_can_be_paged(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    for n in range(1, 6):
        # Ids fall while the order rises: the server's order is that of arrival.
        message_id = f"msg_{9 - n}"
        await sessions.store.commit(PutMessage(user_message(session.id, message_id, created=n)))
        await sessions.store.commit(PutPart(text_part(session.id, message_id, f"prt_{n}a", f"{n}a")))
        await sessions.store.commit(PutPart(text_part(session.id, message_id, f"prt_{n}b", f"{n}b")))
    everything = json.loads((await sessions.service.messages(session.id, None, None)).body)
    assert [[part["text"] for part in message["parts"]] for message in everything] == [
        [f"{n}a", f"{n}b"] for n in range(1, 6)
    ]
    newest = await sessions.service.messages(session.id, 2, None)
    assert json.loads(newest.body) == everything[3:]
    older = await sessions.service.messages(session.id, 2, newest.next_cursor)
    assert json.loads(older.body) == everything[1:3]
    oldest = await sessions.service.messages(session.id, 2, older.next_cursor)
    assert (json.loads(oldest.body), oldest.next_cursor) == (everything[:1], None)


async def test_many_messages_are_a_page_like_few(sessions: Sessions) -> None:
    """More than are read at once; some have no parts."""
    session = await sessions.service.create(CreateSession())
    for n in range(1, 131):
        message_id = f"msg_{n:03}"
        parts = [PutPart(text_part(session.id, message_id, f"prt_{n}_{k}", f"{n}.{k}")) for k in range(n % 3)]
        await sessions.store.commit(PutMessage(user_message(session.id, message_id, created=n)), *parts)
    assert sessions.service.few_messages(session.id, None, None) is None
    assert sessions.service.few_messages(session.id, 110, None) is None
    everything = json.loads((await sessions.service.messages(session.id, None, None)).body)
    assert [[part["text"] for part in message["parts"]] for message in everything] == [
        [f"{n}.{k}" for k in range(n % 3)] for n in range(1, 131)
    ]
    newest = await sessions.service.messages(session.id, 110, None)
    assert json.loads(newest.body) == everything[20:]
    older = sessions.service.few_messages(session.id, 15, newest.next_cursor)
    assert older is not None and older.next_cursor is not None
    assert json.loads(older.body) == everything[5:20]
    oldest = await sessions.service.messages(session.id, 110, older.next_cursor)
    assert (json.loads(oldest.body), oldest.next_cursor) == (everything[:5], None)


async def test_a_page_goes_on_when_the_message_of_its_cursor_is_gone(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    for n in range(1, 5):
        await sessions.store.commit(PutMessage(user_message(session.id, f"msg_{n}", created=n)))
    page = await sessions.service.messages(session.id, 2, None)
    await sessions.service.delete_message(session.id, MessageID("msg_3"))
    older = await sessions.service.messages(session.id, 2, page.next_cursor)
    assert [message["info"]["id"] for message in json.loads(older.body)] == ["msg_1", "msg_2"]


@pytest.mark.parametrize(("limit", "before"), [(None, "x"), (2, "not a cursor"), (2, "e30"), (2, "🙂")])
async def test_a_wrong_cursor_is_refused(sessions: Sessions, limit: int | None, before: str) -> None:
    session = await sessions.service.create(CreateSession())
    with pytest.raises(InvalidCursor):
        await sessions.service.messages(session.id, limit, before)


@pytest.mark.parametrize("number", [2**63, 10**300, -(10**300), 1e300])
async def test_numbers_too_large_for_the_database_are_numbers_still(sessions: Sessions, number: float) -> None:
    """Found by ``tests/fuzz``: they were an unexpected error."""
    session = await sessions.service.create(CreateSession())
    listed = json.loads(sessions.service.list_raw(SessionFilter(start=number)))
    paged = await sessions.service.list_global(GlobalSessionFilter(cursor=number, limit=int(abs(number))))
    assert (len(listed), len(json.loads(paged.body))) == ((0, 1) if number > 0 else (1, 0))
    await sessions.service.messages(session.id, int(abs(number)), None)


async def test_a_message_without_parts_is_a_message_still(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    assert (await sessions.service.messages(session.id, None, None)).body == b"[]"
    await sessions.store.commit(PutMessage(user_message(session.id, "msg_1")))
    assert json.loads((await sessions.service.messages(session.id, 5, None)).body)[0]["parts"] == []


async def test_a_deleted_session_takes_everything_below_it(sessions: Sessions) -> None:
    parent = await sessions.service.create(CreateSession())
    child = await sessions.service.create(CreateSession(parent_id=parent.id))
    grandchild = await sessions.service.create(CreateSession(parent_id=child.id))
    await sessions.store.commit(
        PutMessage(user_message(child.id, "msg_1")), PutPart(text_part(child.id, "msg_1", "prt_1"))
    )
    sessions.events.clear()
    await sessions.service.delete(parent.id)
    assert [event.session_id for event in sessions.events] == [grandchild.id, child.id, parent.id]  # type: ignore[attr-defined]
    for table in ("session", "message", "part", "todo"):
        assert sessions.database.read(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_parts_are_changed_and_removed_by_their_whole_path(sessions: Sessions) -> None:
    service = sessions.service
    session = await service.create(CreateSession())
    part = text_part(session.id, "msg_1", "prt_1")
    await sessions.store.commit(PutMessage(user_message(session.id, "msg_1")), PutPart(part))
    changed = text_part(session.id, "msg_1", "prt_1", "changed")
    assert await service.update_part(session.id, MessageID("msg_1"), PartID("prt_1"), changed) == changed
    with pytest.raises(Invalid):
        await service.update_part(session.id, MessageID("msg_1"), PartID("prt_2"), changed)
    with pytest.raises(PartNotFound):
        await service.delete_part(session.id, MessageID("msg_1"), PartID("prt_2"))
    with pytest.raises(MessageNotFound):
        await service.delete_part(session.id, MessageID("msg_2"), PartID("prt_1"))
    await service.delete_part(session.id, MessageID("msg_1"), PartID("prt_1"))
    assert json.loads(await service.message_raw(session.id, MessageID("msg_1")))["parts"] == []
    assert sessions.told[-1] == "message.part.removed"


async def test_todos_get_their_position_as_id(sessions: Sessions) -> None:
    session = await sessions.service.create(CreateSession())
    assert await sessions.service.todos(session.id) == []
    todo = Todo(content="write", status="pending", priority="high")
    written = await sessions.service.set_todos(session.id, [todo, Todo(id="x", content="b", status="c", priority="d")])
    assert [one.id for one in written] == ["1", "x"]
    assert await sessions.service.todos(session.id) == written
    assert todo.id is UNSET
