from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, PermissionID, SessionID
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import Event, EventScope
from opencode.permission.errors import (
    PermissionCorrected,
    PermissionDenied,
    PermissionRejected,
    PermissionRequestNotFound,
)
from opencode.permission.schema import (
    PermissionAsked,
    PermissionReplied,
    PermissionReply,
    PermissionRequest,
    PermissionRule,
    ToolCallRef,
)
from opencode.permission.service import PermissionService
from opencode.storage.database import Database, open_database

DIRECTORY = "/project"
SESSION, OTHER = SessionID("ses_1"), SessionID("ses_2")
ALLOW_ALL = [PermissionRule(permission="*", pattern="*", action="allow")]
DENY_RM = [*ALLOW_ALL, PermissionRule(permission="bash", pattern="rm *", action="deny")]


class Server:
    """The parts of one server process that permissions need."""

    def __init__(self, database: Database, bus: EventBus, ids: IdGenerator, clock: SystemClock) -> None:
        self.database = database
        self.told: list[Event] = []
        self.heard = anyio.Event()
        self.orphan_replies: list[tuple[str, PermissionReply, str | None]] = []
        self.ended: dict[str, BaseException | None] = {}
        events = bus.scoped(EventScope(directory=DIRECTORY))
        events.subscribe_function(PermissionAsked, self._hear)
        events.subscribe_function(PermissionReplied, self._hear)
        self.service = PermissionService(database, events, ids, clock, DIRECTORY, self._on_orphan_reply)

    @property
    def replies(self) -> list[tuple[str, str]]:
        return [(event.request_id, event.reply) for event in self.told if isinstance(event, PermissionReplied)]

    def rows(self) -> int:
        return int(self.database.read("SELECT count(*) FROM permission_request")[0][0])

    async def ask(self, pattern: str, session: SessionID = SESSION, rules: Any = (), always: str | None = None) -> None:
        """Ask to run a command, and note how it ended."""
        try:
            await self.service.ask(
                session_id=session,
                permission="bash",
                patterns=[pattern],
                always=[always or f"{pattern.split()[0]} *"],
                metadata={"command": pattern},
                tool=ToolCallRef(message_id="msg_1", call_id="call_1"),
                rulesets=[rules],
            )
        except BaseException as error:
            self.ended[pattern] = error
            raise
        self.ended[pattern] = None

    async def asked(self, count: int) -> list[PermissionID]:
        """The ids of what waits, once so many asks wait."""
        with anyio.fail_after(5):
            while len([event for event in self.told if isinstance(event, PermissionAsked)]) < count:
                await self.heard.wait()
        return [request.id for request in self.service.pending()]

    def _hear(self, event: Event) -> None:
        self.told.append(event)
        self.heard.set()
        self.heard = anyio.Event()

    async def _on_orphan_reply(self, request: PermissionRequest, reply: PermissionReply, message: str | None) -> None:
        self.orphan_replies.append((request.patterns[0], reply, message))


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Server]:
    clock = SystemClock()
    ids = IdGenerator(clock)
    async with open_database(path / "test.db") as database:
        server = Server(database, EventBus(await open_event_log(database, clock), ids, clock), ids, clock)
        await server.service.restore()
        yield server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as server:
        yield server


async def quietly(server: Server, pattern: str, session: SessionID = SESSION) -> None:
    """Ask in a task whose refusal is looked at in ``server.ended``."""
    with suppress(PermissionRejected, PermissionCorrected):
        await server.ask(pattern, session)


async def test_rules_that_allow_everything_ask_nobody(server: Server) -> None:
    await server.ask("echo one", rules=ALLOW_ALL)
    assert (server.told, server.rows()) == ([], 0)


async def test_a_rule_that_denies_is_told_with_the_rules_about_the_permission(server: Server) -> None:
    with pytest.raises(PermissionDenied) as caught:
        await server.ask("rm -f a.txt", rules=DENY_RM)
    assert str(caught.value) == (
        "The user has specified a rule which prevents you from using this specific tool call."
        ' Here are some of the relevant rules [{"permission":"*","pattern":"*","action":"allow"},'
        '{"permission":"bash","pattern":"rm *","action":"deny"}]'
    )
    assert not PermissionDenied.stops_turn


async def test_one_denied_pattern_denies_before_anybody_is_asked(server: Server) -> None:
    with pytest.raises(PermissionDenied):
        await server.service.ask(
            session_id=SESSION, permission="bash", patterns=["ls", "rm x"], always=[], metadata={}, tool=None,
            rulesets=[[PermissionRule(permission="bash", pattern="rm *", action="deny")]],
        )  # fmt: skip
    assert server.told == []


async def test_an_ask_waits_as_a_row_and_an_event_until_it_is_allowed_once(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ask, "echo one")
        [id] = await server.asked(1)
        expected = {
            "id": id,
            "session_id": SESSION,
            "permission": "bash",
            "patterns": ["echo one"],
            "metadata": {"command": "echo one"},
            "always": ["echo *"],
            "tool": ToolCallRef(message_id="msg_1", call_id="call_1"),
        }
        assert server.told == [PermissionAsked(**expected)]
        assert server.service.pending() == [PermissionRequest(**expected)]
        assert server.rows() == 1
        await server.service.reply(id, "once")
    assert server.told[1:] == [PermissionReplied(session_id=SESSION, request_id=id, reply="once")]
    assert (server.service.pending(), server.rows(), server.ended) == ([], 0, {"echo one": None})


async def test_a_reply_to_nothing_is_an_error_with_the_id(server: Server) -> None:
    with pytest.raises(PermissionRequestNotFound) as caught:
        await server.service.reply(PermissionID("per_1"), "once")
    assert caught.value.tag == "PermissionNotFoundError"
    assert caught.value.data == {"message": "Permission request not found: per_1", "requestID": "per_1"}


async def test_always_holds_for_later_asks_and_for_those_that_wait_in_the_session(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        for pattern, session in (("echo one", SESSION), ("echo two", SESSION), ("ls", SESSION), ("echo 3", OTHER)):
            tasks.start_soon(server.ask, pattern, session)
            await server.asked(len(server.service.pending()) or 1)
        one, two, ls, other = await server.asked(4)
        await server.service.reply(one, "always")
        assert server.replies == [(one, "always"), (two, "always")]
        await server.ask("echo four", OTHER)
        await server.service.reply(ls, "once")
        await server.service.reply(other, "once")
    assert server.rows() == 0


async def test_a_rejection_rejects_the_other_asks_of_the_session_only(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        for pattern, session in (("echo one", SESSION), ("ls", SESSION), ("pwd", OTHER)):
            tasks.start_soon(quietly, server, pattern, session)
        ids = await server.asked(3)
        of = {request.patterns[0]: request.id for request in server.service.pending()}
        assert set(ids) == set(of.values())
        await server.service.reply(of["echo one"], "reject", "use printf")
        assert set(server.replies) == {(of["echo one"], "reject"), (of["ls"], "reject")}
        await server.service.reply(of["pwd"], "once")
    assert isinstance(server.ended["echo one"], PermissionCorrected)
    assert str(server.ended["echo one"]).endswith("with the following feedback: use printf")
    assert isinstance(server.ended["ls"], PermissionRejected)
    assert str(server.ended["ls"]) == "The user rejected permission to use this specific tool call."
    assert server.ended["pwd"] is None
    assert PermissionRejected.stops_turn and not PermissionCorrected.stops_turn


async def test_a_cancelled_ask_leaves_nothing_behind_and_says_so(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ask, "echo one")
        [id] = await server.asked(1)
        tasks.cancel_scope.cancel()
    assert server.replies == [(id, "reject")]
    assert (server.service.pending(), server.rows()) == ([], 0)


async def test_dropping_a_session_rejects_its_asks(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(quietly, server, "echo one")
        [id] = await server.asked(1)
        await server.service.drop_session(SESSION)
    assert server.replies == [(id, "reject")]
    assert isinstance(server.ended["echo one"], PermissionRejected)


async def test_two_replies_at_once_settle_an_ask_once(server: Server) -> None:
    results: list[str] = []

    async def reply(id: PermissionID, reply: PermissionReply) -> None:
        try:
            await server.service.reply(id, reply)
            results.append(reply)
        except PermissionRequestNotFound:
            results.append("not found")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ask, "echo one")
        [id] = await server.asked(1)
        tasks.start_soon(reply, id, "once")
        tasks.start_soon(reply, id, "reject")
    assert sorted(results) == ["not found", "once"]
    assert server.ended == {"echo one": None}


async def die_while_asking(path: Path, *patterns: str) -> list[PermissionID]:
    """A server that ends without a word while commands wait for permission; the ids of the asks."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(path))
        rows: list[tuple[Any, ...]] = []
        async with anyio.create_task_group() as tasks:
            for pattern in patterns:
                tasks.start_soon(server.ask, pattern)
            ids = await server.asked(len(patterns))
            rows = server.database.read("SELECT * FROM permission_request")
            tasks.cancel_scope.cancel()
        # Cancelling tidied up, which a killed process does not get to do.
        await server.database.write(
            lambda tx: tx.executemany("INSERT INTO permission_request VALUES (?, ?, ?, ?, ?)", rows)
        )
    return ids


async def test_an_ask_outlives_the_process_and_its_answer_lets_the_repeated_call_pass_once(tmp_path: Path) -> None:
    [id] = await die_while_asking(tmp_path, "echo one")
    async with serving(tmp_path) as server:
        assert [request.id for request in server.service.pending()] == [id]
        assert [wait.is_orphan for wait in server.service.waits()] == [True]
        await server.service.reply(id, "once")
        assert server.orphan_replies == [("echo one", "once", None)]
        assert (server.replies, server.rows()) == ([(id, "once")], 0)
        await server.ask("echo one")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(quietly, server, "echo one")
            [again] = await server.asked(1)
            await server.service.reply(again, "reject")


async def test_always_for_an_ask_of_an_earlier_process_adds_the_rules(tmp_path: Path) -> None:
    [id] = await die_while_asking(tmp_path, "echo one")
    async with serving(tmp_path) as server:
        await server.service.reply(id, "always")
        await server.ask("echo two")
        await server.ask("echo one")
        await server.ask("echo one")


async def test_rejecting_an_ask_of_an_earlier_process_gives_no_grant(tmp_path: Path) -> None:
    one, two = await die_while_asking(tmp_path, "echo one", "ls")
    async with serving(tmp_path) as server:
        await server.service.reply(one, "reject", "no")
        assert sorted(server.orphan_replies) == sorted([("echo one", "reject", "no"), ("ls", "reject", None)])
        assert dict(server.replies) == {one: "reject", two: "reject"}


async def test_asking_the_same_again_takes_the_place_of_the_ask_of_an_earlier_process(tmp_path: Path) -> None:
    [old] = await die_while_asking(tmp_path, "echo one")
    async with serving(tmp_path) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(server.ask, "echo one")
        [new] = await server.asked(1)
        assert new != old
        assert (server.replies, server.rows()) == ([(old, "reject")], 1)
        await server.service.reply(new, "once")
    assert server.orphan_replies == []
