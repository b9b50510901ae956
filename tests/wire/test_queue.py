"""Prompts for a busy session: they join the running turn, or wait in the queue for one of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from opencode.instance.shared import Shared
from opencode.loop import prompt_turns
from opencode.loop.queue import LIMIT, SessionQueueChanged
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.script import Call, Fail, Wait, turn
from tests.support.scripted_model.server import scripted_model
from tests.wire.delegating import PATIENCE_SECONDS, Json, Script, scripted

NOWHERE = {"providerID": "nowhere", "modelID": "nothing"}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


class Answers:
    """What a prompt was answered with, once it is."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()
        self.status = 0
        self.body: Any = None

    async def post(self, script: Script, session: str, text: str, fields: Json) -> None:
        body = {"parts": [{"type": "text", "text": text}], **fields}
        answer = await script.client.post(f"/session/{session}/message", json=body, timeout=PATIENCE_SECONDS)
        self.status, self.body = answer.status_code, answer.json()
        self.arrived.set()

    async def text(self) -> str:
        await self.arrived.wait()
        return text_of(self.body)


@asynccontextmanager
async def at_work(
    script: Script, session: str, first: Answers | None = None
) -> AsyncIterator[tuple[anyio.Event, Callable[..., Answers]]]:
    """A session whose first turn waits for the gate; further prompts can be sent beside it."""
    gate, reached = anyio.Event(), anyio.Event()
    script.model.push(turn("One begins ", Wait(gate, reached), "and ends."))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as tasks:

            def send(text: str, **fields: Any) -> Answers:
                answers = Answers()
                tasks.start_soon(answers.post, script, session, text, fields)
                return answers

            first = first or Answers()
            tasks.start_soon(first.post, script, session, "First", {})
            await reached.wait()
            yield gate, send
            gate.set()
            await first.arrived.wait()


def text_of(message: Json) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


async def queue_of(script: Script, session: str) -> list[str]:
    return [waiting["text"] for waiting in await script.get(f"/session/{session}/queue")]


async def said(script: Script, session: str) -> list[str]:
    return [text_of(message) for message in await script.messages(session)]


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    while not await check():
        await anyio.lowlevel.checkpoint()


async def until_queued(script: Script, session: str, *texts: str) -> None:
    async def check() -> bool:
        return await queue_of(script, session) == list(texts)

    await until(check)


async def test_queued_prompts_get_turns_of_their_own_in_the_order_they_came(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (gate, send):
        script.model.push("To two.", "To three.")
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        third = send("Third", delivery="queue")
        await until_queued(script, session, "Second", "Third")
        assert len(await said(script, session)) == 2
        gate.set()
        assert (await second.text(), await third.text()) == ("To two.", "To three.")
    assert await said(script, session) == ["First", "One begins and ends.", "Second", "To two.", "Third", "To three."]
    messages = await script.messages(session)
    ids = [message["info"]["id"] for message in messages]
    assert ids == sorted(ids)
    created = [message["info"]["time"]["created"] for message in messages]
    assert created == sorted(created)
    assert [m["info"]["parentID"] for m in messages[1::2]] == ids[::2]
    assert await queue_of(script, session) == []


async def test_what_waits_is_told_and_listed(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        script.model.push("To both.", "To the last.")
        send("Joins", messageID="msg_joins")
        send("Waits", delivery="queue", messageID="msg_waits")
        await until_queued(script, session, "Joins", "Waits")
        joins, waits = await script.get(f"/session/{session}/queue")
        assert (joins["id"], joins["delivery"], joins["state"]) == ("msg_joins", "steer", "waiting")
        assert (waits["id"], waits["delivery"], waits["state"]) == ("msg_waits", "queue", "waiting")
        assert waits["time"]["created"] > 0
    told = [[prompt.id for prompt in event.queue] for event in await script.until(SessionQueueChanged, 2)]
    assert told == [["msg_waits"], []]
    assert [m["info"]["id"] for m in await script.messages(session)][-2] == "msg_waits"


async def test_a_queued_prompt_for_an_idle_session_is_answered_at_once(script: Script) -> None:
    script.model.push("Here.")
    assert text_of(await script.prompt(await script.session(), "Go", delivery="queue")) == "Here."
    assert script.heard(SessionQueueChanged) == []


async def test_a_cancelled_prompt_is_never_answered_and_its_sender_is_told(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (gate, send):
        script.model.push("To the third.")
        second = send("Second", delivery="queue", messageID="msg_second")
        await until_queued(script, session, "Second")
        third = send("Third", delivery="queue")
        await until_queued(script, session, "Second", "Third")
        path = f"/session/{session}/queue/msg_second"
        assert (await script.client.delete(path)).json() is True
        assert (await script.client.delete(path)).status_code == 404
        await second.arrived.wait()
        assert (second.status, second.body["name"]) == (409, "ConflictError")
        gate.set()
        assert await third.text() == "To the third."
    assert "Second" not in await said(script, session)


async def test_a_prompt_that_has_its_turn_cannot_be_cancelled(script: Script) -> None:
    session, gate, reached = await script.session(), anyio.Event(), anyio.Event()
    async with at_work(script, session) as (first, send):
        script.model.push(turn("Two ", Wait(gate, reached), "ends."))
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        (waiting,) = await script.get(f"/session/{session}/queue")
        first.set()
        await reached.wait()
        for path in (f"/session/{session}/queue/{waiting['id']}", f"/session/{session}/queue/msg_unknown"):
            status = (await script.client.delete(path)).status_code
            assert status == (404 if "unknown" in path else 409)
        gate.set()
        await second.arrived.wait()


async def test_the_same_prompt_sent_twice_waits_once(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        script.model.push("To two.")
        sent = [send("Second", delivery="queue", messageID="msg_2")]
        await until_queued(script, session, "Second")
        sent.append(send("Second", delivery="queue", messageID="msg_2"))
        await script.post(session, "prompt_async", {"messageID": "msg_2", "parts": []}, status=204)
        assert await queue_of(script, session) == ["Second"]
    assert [await answers.text() for answers in sent] == ["To two.", "To two."]
    assert (await said(script, session)).count("Second") == 1


async def test_abort_stops_the_turn_and_holds_the_queue_until_it_is_resumed(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        script.model.push("To two.")
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        await script.post(session, "abort")
        assert await script.get("/session/status") == {}
        (waiting,) = await script.get(f"/session/{session}/queue")
        assert waiting["state"] == "held"
        (waiting,) = await script.post(session, "queue")
        assert waiting["state"] == "waiting"
        assert await second.text() == "To two."


async def test_a_new_prompt_after_an_abort_goes_first_and_the_queue_follows(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        script.model.push("To the new one.", "To two.")
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        await script.post(session, "abort")
        assert text_of(await script.prompt(session, "New")) == "To the new one."
        assert await second.text() == "To two."


async def test_a_queue_has_an_end(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session):
        body = {"delivery": "queue", "parts": [{"type": "text", "text": "More"}]}
        for _ in range(LIMIT):
            await script.post(session, "prompt_async", body, status=204)
        refused = await script.post(session, "prompt_async", body, status=409)
        assert refused["data"]["sessionID"] == session
        await script.post(session, "abort")


async def test_a_queue_goes_with_its_session(script: Script) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        assert (await script.client.delete(f"/session/{session}")).json() is True
        await second.arrived.wait()
        assert second.status == 404
    assert (await script.client.get(f"/session/{session}/queue")).status_code == 404


async def test_a_command_can_wait_for_its_turn_too(script: Script, project: Path) -> None:
    session = await script.session()
    async with at_work(script, session) as (gate, _):
        script.model.push("Initialised.")
        answers: list[Json] = []

        async def command() -> None:
            body = {"command": "init", "arguments": "", "delivery": "queue"}
            answers.append(await script.post(session, "command", body))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(command)

            async def waits() -> bool:
                return len(await queue_of(script, session)) == 1

            await until(waits)
            gate.set()
    assert text_of(answers[0]) == "Initialised."


async def test_queued_prompts_get_their_turn_when_a_closed_directory_is_opened_again(
    script: Script, shared: Shared, project: Path
) -> None:
    session = await script.session()
    async with at_work(script, session) as (_, send):
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        await shared.registry.dispose(str(project))
        await second.arrived.wait()
        assert (second.status, "kept" in second.body["message"]) == (503, True)
    script.model.push("To two.")

    async def answered() -> bool:
        return (await said(script, session))[-2:] == ["Second", "To two."]

    with anyio.fail_after(PATIENCE_SECONDS):
        await until(answered)


async def test_queued_prompts_survive_a_restart_and_are_answered_without_a_client(
    environ: dict[str, str], project: Path
) -> None:
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url))
        async with server(environ, project) as client:
            script = Script(client, model)
            session = await script.session()
            async with at_work(script, session) as (gate, send):
                send("Second", delivery="queue")
                await until_queued(script, session, "Second")
                model.push(turn(Wait(anyio.Event(), reached := anyio.Event())))
                gate.set()
                await reached.wait()
                send("Third", delivery="queue")
                await until_queued(script, session, "Third")
                send("Fourth", delivery="queue")
                await until_queued(script, session, "Third", "Fourth")
                await client.post("/instance/dispose")
        model.push("To three.", "To four.")
        async with server(environ, project) as client:
            with anyio.fail_after(PATIENCE_SECONDS):
                while len(model.turns) < 4:
                    await anyio.lowlevel.checkpoint()
                script = Script(client, model)

                async def rests() -> bool:
                    return bool(await script.get("/session/status") == {})

                await until(rests)
                texts = await said(script, session)
    assert [texts[0], *texts[-4:]] == ["First", "Third", "To three.", "Fourth", "To four."]


@asynccontextmanager
async def server(environ: dict[str, str], project: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A server process's worth of server, on the data of the one before."""
    async with open_shared(Environment(environ), Paths.from_environ(environ)) as shared:
        application = Application(
            OperationTable(OPERATIONS),
            shared.registry,
            working_directory=str(project),
            directory_of_session=shared.directory_of_session,
            shared=shared,
        )
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4096") as client:
            yield client


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database refused is tried again at once."""
    monkeypatch.setattr(prompt_turns, "RETRY_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_queued_prompt_has_its_turn_as_soon_as_the_database_takes_it(script: Script, shared: Shared) -> None:
    session, first = await script.session(), Answers()
    async with at_work(script, session, first) as (gate, send):
        script.model.push("To two.")
        second = send("Second", delivery="queue")
        await until_queued(script, session, "Second")
        shared.database.read("PRAGMA query_only = ON")
        gate.set()
        await first.arrived.wait()
        assert await queue_of(script, session) == ["Second"]
        shared.database.read("PRAGMA query_only = OFF")
        assert await second.text() == "To two."


@pytest.mark.usefixtures("impatient")
async def test_a_turn_that_is_stopped_before_its_prompt_is_taken_up_goes_back_to_the_queue(
    script: Script, shared: Shared
) -> None:
    session, first = await script.session(), Answers()
    async with at_work(script, session, first) as (gate, send):
        second = send("Second", delivery="queue", messageID="msg_second")
        await until_queued(script, session, "Second")
        shared.database.read("PRAGMA query_only = ON")
        gate.set()
        await first.arrived.wait()
        await script.client.post(f"/session/{session}/abort")
        await second.arrived.wait()
        assert second.status == 503
        shared.database.read("PRAGMA query_only = OFF")
        script.model.push("To two.")
        await script.post(session, "queue")

        async def answered() -> bool:
            return (await said(script, session))[-2:] == ["Second", "To two."]

        await until(answered)


async def test_each_sender_gets_the_outcome_of_its_own_prompt(script: Script) -> None:
    """The answer to the first is stored; that the second names no model is the second's affair."""
    session = await script.session()
    async with at_work(script, session) as (gate, send):
        second = send("Second", model=NOWHERE)
        await until_queued(script, session, "Second")
        gate.set()
        await second.arrived.wait()
        assert (second.status, "nowhere" in second.body["data"]["message"]) == (400, True)
    assert (await said(script, session))[1] == "One begins and ends."


async def test_a_prompt_nobody_can_answer_does_not_end_the_turn_it_joins(script: Script, project: Path) -> None:
    session, answers = await script.session(), Answers()
    wait = "until [ -e go ]; do sleep 0.02; done"
    script.model.push(turn(Call("bash", {"command": wait, "description": "Waits"})), "Done.")
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answers.post, script, session, "First", {})

            async def runs() -> bool:
                return any(state["status"] == "running" for state in await script.calls(session))

            await until(runs)
            bad = Answers()
            tasks.start_soon(bad.post, script, session, "Second", {"model": NOWHERE})
            await until_queued(script, session, "Second")
            (project / "go").touch()
            await bad.arrived.wait()
    assert (bad.status, await answers.text()) == (400, "Done.")


async def test_a_failing_answer_to_a_later_prompt_leaves_the_earlier_sender_its_own(script: Script) -> None:
    session, first = await script.session(), Answers()
    async with at_work(script, session, first) as (gate, send):
        script.model.push(turn(Fail(400, "no")))
        second = send("Second")
        await until_queued(script, session, "Second")
        gate.set()
        await second.arrived.wait()
        assert second.body["info"]["error"]["name"] == "APIError"
        assert await first.text() == "One begins and ends."


async def test_an_abort_of_a_later_prompt_leaves_the_earlier_sender_its_own(script: Script) -> None:
    session, first, reached = await script.session(), Answers(), anyio.Event()
    async with at_work(script, session, first) as (gate, send):
        script.model.push(turn("Two ", Wait(anyio.Event(), reached)))
        second = send("Second")
        await until_queued(script, session, "Second")
        gate.set()
        await reached.wait()
        await script.post(session, "abort")
        await second.arrived.wait()
        assert second.body["info"]["error"]["name"] == "MessageAbortedError"
        assert await first.text() == "One begins and ends."


async def test_a_prompt_whose_id_was_taken_meanwhile_does_not_keep_the_others_waiting(script: Script) -> None:
    session, other = await script.session(), await script.session()
    async with at_work(script, session) as (gate, send):
        script.model.push("To three.")
        second = send("Second", delivery="queue", messageID="msg_taken")
        await until_queued(script, session, "Second")
        third = send("Third", delivery="queue")
        await until_queued(script, session, "Second", "Third")
        await script.prompt(other, "Mine", messageID="msg_taken", noReply=True)
        gate.set()
        await second.arrived.wait()
        assert (second.status, second.body["data"]["messageID"]) == (409, "msg_taken")
        assert await third.text() == "To three."


async def test_an_unknown_session_has_no_queue(script: Script) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/msg_1")):
        answer = await script.client.request(method, f"/session/ses_missing/queue{path}")
        assert (answer.status_code, answer.json()["name"]) == (404, "NotFoundError")
