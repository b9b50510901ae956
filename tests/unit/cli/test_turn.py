"""A turn against a server whose event stream and answer to the prompt are given by each test."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from opencode.cli import turn as turn_module
from opencode.cli.asker import Allowing, Asker, Refusing
from opencode.cli.turn import Turn
from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed
from opencode.permission.schema import PermissionAsked, PermissionReply
from opencode.session.inputs import PromptInput
from opencode.session.schema import MessageError, MessagePartDelta, Part, TextPart, TextPartInput, ToolPart

OURS, CHILD, OTHER = "ses_ours", "ses_child", "ses_other"
Frames = list[dict[str, Any]]


def event(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "properties": properties}


def status(kind: str, session: str = OURS) -> dict[str, Any]:
    return event("session.status", sessionID=session, status={"type": kind})


def text(number: int, *, ended: bool = True, session: str = OURS) -> dict[str, Any]:
    """The event of a text part; ``wire_text`` gives the part alone."""
    return event("message.part.updated", sessionID=session, part=wire_text(number, ended, session), time=1)


def wire_text(number: int, ended: bool = True, session: str = OURS) -> dict[str, Any]:
    ids = {"id": f"prt_{number}", "sessionID": session, "messageID": "msg_2"}
    time = {"start": 1, "end": 2} if ended else {"start": 1}
    return {**ids, "type": "text", "text": f"text {number}" if ended else "", "time": time}


def delta(number: int) -> dict[str, Any]:
    ids = {"sessionID": OURS, "messageID": "msg_2", "partID": f"prt_{number}"}
    return event("message.part.delta", **ids, field="text", delta="te")


def asked(session: str = OURS, number: int = 1) -> dict[str, Any]:
    return event("permission.asked", **request(session, number))


def request(session: str = OURS, number: int = 1) -> dict[str, Any]:
    ids = {"id": f"per_{number}", "sessionID": session}
    return {**ids, "permission": "bash", "patterns": ["ls"], "metadata": {}, "always": []}


def assistant(**more: Any) -> dict[str, Any]:
    ids = {"id": "msg_2", "sessionID": OURS, "parentID": "msg_1", "providerID": "demo", "modelID": "demo"}
    path = {"cwd": "/", "root": "/"}
    return {"role": "assistant", **ids, "mode": "build", "agent": "build", "path": path, "time": {"created": 1}, **more}


def done() -> Frames:
    """How a turn ends."""
    return [
        event("message.updated", sessionID=OURS, info=assistant(time={"created": 1, "completed": 2})),
        status("idle"),
    ]


def answer(*parts: dict[str, Any], **info: Any) -> dict[str, Any]:
    return {"info": assistant(**info), "parts": list(parts)}


class Stream(httpx2.AsyncByteStream):
    """Open until the server is closed."""

    def __init__(self, frames: MemoryObjectReceiveStream[bytes]) -> None:
        self._frames = frames

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for frame in self._frames:
            yield frame


class Server:
    """Sends ``before`` when the prompt comes, answers it, and sends ``after``."""

    def __init__(self, before: Frames, answered: dict[str, Any], after: Frames = [], status: int = 200) -> None:  # noqa: B006
        self._before, self._answered, self._after, self._status = before, answered, after, status
        self._send, self._receive = anyio.create_memory_object_stream[bytes](1_000)
        self.replies: list[tuple[str, Any]] = []
        self.messages: list[Any] = []
        self.permissions: list[Any] = []
        self.statuses: dict[str, Any] = {}
        self.settled = False

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        match request.method, request.url.path:
            case "GET", "/event":
                headers = {"content-type": "text/event-stream"}
                return httpx2.Response(200, headers=headers, stream=Stream(self._receive))
            case "POST", "/session/ses_ours/message":
                self._push(self._before)
                await anyio.lowlevel.checkpoint()
                self._push(self._after)
                return httpx2.Response(self._status, json=self._answered)
            case "GET", "/session/ses_ours/message":
                return httpx2.Response(200, json=self.messages)
            case "GET", "/permission":
                return httpx2.Response(200, json=self.permissions)
            case "GET", "/session/status":
                return httpx2.Response(200, json=self.statuses)
            case "POST", path:
                self.replies.append((path, json.loads(request.content or b"null")))
                return httpx2.Response(404 if self.settled else 200, json=not self.settled)
        raise AssertionError(request.url)

    def _push(self, frames: Frames) -> None:
        for frame in frames:
            self._send.send_nowait(b"data: " + json.dumps(frame).encode() + b"\n\n")

    def close(self) -> None:
        self._send.close()
        self._receive.close()


class Shown:
    """An output that remembers."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.deltas: list[str] = []
        self.errors: list[str] = []
        self.refusals: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.notices: list[str] = []

    def header(self, agent: str, model: str) -> None:
        self.headers.append((agent, model))

    def delta(self, delta: MessagePartDelta) -> None:
        self.deltas.append(delta.part_id)

    def part(self, part: Part) -> None:
        self.parts.append(part)

    def error(self, error: MessageError | None, message: str) -> None:
        self.errors.append(message)

    def refused(self, asked: PermissionAsked) -> None:
        self.refusals.append(asked.session_id)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    @property
    def texts(self) -> list[str]:
        return [part.text for part in self.parts if isinstance(part, TextPart)]


async def play(server: Server, asker: Asker | None = None) -> tuple[Turn, Shown]:
    shown = Shown()
    prompt = PromptInput(parts=[TextPartInput(text="hi")])
    try:
        with anyio.fail_after(5):
            async with OpenCodeClient("http://s", transport=httpx2.MockTransport(server)) as client:
                turn = Turn(client, OURS, shown, asker or Refusing())
                async with client.events() as stream:
                    await turn.run(stream, lambda: client.prompt(OURS, prompt))
    finally:
        server.close()
    return turn, shown


async def test_finished_parts_are_shown_once_and_deltas_of_text_as_they_come() -> None:
    streamed = [status("busy"), text(1, ended=False), delta(1), delta(9), text(1), text(1), text(2)]
    info = event("message.updated", sessionID=OURS, info=assistant())
    _, shown = await play(Server([info, *streamed, *done()], answer(wire_text(2))))
    assert (shown.texts, shown.deltas, shown.headers) == (["text 1", "text 2"], ["prt_1"], [("build", "demo")] * 2)


async def test_the_turn_goes_on_until_the_session_is_idle_even_when_the_answer_is_there() -> None:
    server = Server([status("busy")], answer(), [text(1), *done()])
    assert (await play(server))[1].texts == ["text 1"]


async def test_an_idle_that_ends_an_earlier_turn_does_not_end_this_one() -> None:
    server = Server([status("idle"), status("busy")], answer(), [text(1), *done()])
    assert (await play(server))[1].texts == ["text 1"]


async def test_what_the_stream_does_not_bring_in_time_comes_from_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_module, "_LAST_EVENTS_SECONDS", 0.01)
    turn, shown = await play(Server([], answer(wire_text(1), error={"name": "UnknownError", "data": {"message": "m"}})))
    assert (shown.texts, shown.errors, turn.failed) == (["text 1"], ["m"], True)


async def test_an_error_of_the_session_makes_the_turn_fail_and_is_told_once() -> None:
    error = {"name": "ProviderAuthError", "data": {"providerID": "x", "message": "no key"}}
    server = Server([event("session.error", sessionID=OURS, error=error), *done()], answer(error=error))
    turn, shown = await play(server)
    assert (turn.failed, shown.errors) == (True, ["no key"])


async def test_a_refused_prompt_is_raised() -> None:
    with pytest.raises(RequestFailed, match="busy"):
        await play(Server([], {"name": "ConflictError", "data": {"message": "busy"}}, status=409))


async def test_other_sessions_are_not_shown() -> None:
    other = [text(1, session=OTHER), event("session.error", sessionID=OTHER), status("idle", OTHER), asked(OTHER)]
    server = Server([status("busy"), *other, *done()], answer())
    turn, shown = await play(server)
    assert (shown.parts, turn.failed, server.replies) == ([], False, [])


async def test_a_request_for_permission_is_refused_or_given_once() -> None:
    for asker, reply, refusals in ((Refusing(), "reject", [OURS]), (Allowing(), "once", [])):
        server = Server([asked(), *done()], answer())
        _, shown = await play(server, asker)
        assert (server.replies, shown.refusals) == ([("/permission/per_1/reply", {"reply": reply})], refusals)


async def test_requests_of_subagents_are_decided_too() -> None:
    child = {"id": CHILD, "parentID": OURS, "slug": "s", "projectID": "p", "directory": "/", "title": "t"}
    created = event(
        "session.created", sessionID=CHILD, info={**child, "version": "1", "time": {"created": 1, "updated": 1}}
    )
    server = Server([created, asked(CHILD), *done()], answer())
    await play(server)
    assert server.replies == [("/permission/per_1/reply", {"reply": "reject"})]


async def test_what_another_client_decides_is_not_asked_any_more() -> None:
    class Hesitating(Refusing):
        async def permission(self, asked: PermissionAsked) -> PermissionReply:
            await anyio.sleep_forever()
            raise AssertionError

    replied = event("permission.replied", sessionID=OURS, requestID="per_1", reply="once")
    server = Server([asked(), replied, text(1), *done()], answer())
    assert (await play(server, Hesitating()))[1].texts == ["text 1"]


async def test_questions_are_dismissed_when_nobody_can_answer() -> None:
    question = event("question.asked", id="que_1", sessionID=OURS, questions=[])
    server = Server([question, *done()], answer())
    await play(server)
    assert server.replies == [("/question/que_1/reject", None)]


async def test_a_request_that_another_client_settled_meanwhile_is_let_go() -> None:
    server = Server([asked(), text(1), *done()], answer())
    server.settled = True
    assert (await play(server))[1].texts == ["text 1"]


async def test_after_missed_events_the_current_turn_and_its_requests_are_read_again() -> None:
    server = Server([status("busy"), text(1), event("server.resync")], answer())
    user = {"role": "user", "id": "msg_1", "sessionID": OURS, "time": {"created": 1}, "agent": "build"}
    model = {"providerID": "demo", "modelID": "demo"}
    server.messages = [
        answer(wire_text(7)),
        {"info": {**user, "model": model}, "parts": []},
        answer(wire_text(1), wire_text(2), time={"created": 1, "completed": 2}),
    ]
    server.permissions = [request(), request(OTHER, 2)]
    _, shown = await play(server)
    assert shown.texts == ["text 1", "text 2"]
    assert server.replies == [("/permission/per_1/reply", {"reply": "reject"})]


async def test_a_wait_before_a_retry_is_told() -> None:
    retry = {"type": "retry", "attempt": 2, "message": "Rate limited", "next": 5}
    server = Server([event("session.status", sessionID=OURS, status=retry), *done()], answer())
    assert (await play(server))[1].notices == ["Retrying (2): Rate limited"]


async def test_a_tool_call_is_shown_when_it_is_settled() -> None:
    ids = {"id": "prt_5", "sessionID": OURS, "messageID": "msg_2", "type": "tool", "callID": "c", "tool": "bash"}
    running = {"status": "running", "input": {}, "time": {"start": 1}}
    failed = {"status": "error", "input": {}, "error": "e", "time": {"start": 1, "end": 2}}
    frames = [
        event("message.part.updated", sessionID=OURS, part={**ids, "state": state}, time=1)
        for state in (running, failed)
    ]
    _, shown = await play(Server([*frames, *done()], answer()))
    assert [part.state.error for part in shown.parts if isinstance(part, ToolPart)] == ["e"]  # type: ignore[union-attr]
