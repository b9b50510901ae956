"""Random changes through the real API: what makes the events that clients follow."""

import random
from dataclasses import dataclass, field

import anyio
import httpx2

from tests.stream.client_state import Json
from tests.stream.faulty_client import COUNTED, Where
from tests.support.scripted_model.script import Call, Cut, Fail, Reasoning, Sleep, StreamError, Text, Turn, turn
from tests.support.scripted_model.server import ScriptedModel

REFUSALS = (400, 404, 409)
"""What a change may meet that comes too late: the session is gone, busy, ..."""
ACTION_SECONDS = 60
WORDS = ["alpha", "beta", "gamma", "delta", "été", "漢字", "{}", "\\", '"', "\n"]


@dataclass
class Driver:
    """Does one thing after another, several at a time. All of it follows from the seed."""

    where: Where
    model: ScriptedModel
    random: random.Random
    sessions: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    async def drive(self, actions: int) -> None:
        """So many actions. What the server refuses because it came too late is no failure."""
        chosen = self.random.choices(list(self._weights), weights=list(self._weights.values()), k=actions)
        async with httpx2.AsyncClient(base_url=self.where.url, timeout=ACTION_SECONDS) as http:
            for action in chosen:
                with anyio.fail_after(ACTION_SECONDS):
                    await action(self, http)
                await anyio.sleep(self.random.choice((0, 0, 0.002, 0.02)))

    async def settle(self) -> None:
        """Answer all that is asked, and wait until no session is busy."""
        async with httpx2.AsyncClient(base_url=self.where.url, timeout=ACTION_SECONDS) as http:
            for directory in self.where.directories:
                with anyio.fail_after(ACTION_SECONDS):
                    while (await http.get("/session/status", params={"directory": directory})).json():
                        await self._reply(http)
                        await anyio.sleep(0.02)

    # --- actions ------------------------------------------------------------------------------------------------------

    async def _create(self, http: httpx2.AsyncClient) -> None:
        directory = self.random.choice(self.where.directories)
        created = await http.post("/session", params={"directory": directory}, json={})
        created.raise_for_status()
        self.sessions.append(created.json()["id"])

    async def _prompt(self, http: httpx2.AsyncClient) -> None:
        if not self.sessions:
            return await self._create(http)
        self.model.push(*self._turns())
        parts = [{"type": "text", "text": self._text(20)} for _ in range(self.random.randint(1, 3))]
        await self._ask(http, "POST", f"/session/{self._session()}/prompt_async", {"parts": parts})
        return None

    async def _count(self, http: httpx2.AsyncClient) -> None:
        for directory in self.where.directories:
            name = f"counter of {directory}"
            if name not in self.counters:
                body = {"title": f"{COUNTED}0"}
                created = await http.post("/session", params={"directory": directory}, json=body)
                self.counters[name], self.counters[created.json()["id"]] = 0, 0
        for session_id in [key for key in self.counters if key.startswith("ses_")]:
            for _ in range(self.random.randint(1, 5)):
                self.counters[session_id] += 1
                title = f"{COUNTED}{self.counters[session_id]}"
                changed = await http.patch(f"/session/{session_id}", json={"title": title})
                assert changed.status_code == 200, changed.text

    async def _abort(self, http: httpx2.AsyncClient) -> None:
        await self._ask(http, "POST", f"/session/{self._session()}/abort")

    async def _delete_session(self, http: httpx2.AsyncClient) -> None:
        session_id = self._session()
        if session_id in self.sessions:
            self.sessions.remove(session_id)
        await self._ask(http, "DELETE", f"/session/{session_id}")

    async def _edit_message(self, http: httpx2.AsyncClient) -> None:
        session_id = self._session()
        found = await http.get(f"/session/{session_id}/message")
        messages: list[Json] = found.json() if found.status_code == 200 else []
        parts = [part for message in messages for part in message["parts"]]
        match self.random.choice(("delete message", "delete part", "write part")):
            case "delete message" if messages:
                message = self.random.choice(messages)
                await self._ask(http, "DELETE", f"/session/{session_id}/message/{message['info']['id']}")
            case "delete part" if parts:
                part = self.random.choice(parts)
                await self._ask(http, "DELETE", _part_path(part))
            case "write part" if texts := [part for part in parts if part["type"] == "text"]:
                part = {**self.random.choice(texts), "text": self._text(5)}
                await self._ask(http, "PATCH", _part_path(part), part)
            case _:
                pass

    async def _shell(self, http: httpx2.AsyncClient) -> None:
        body = {"agent": "build", "command": "printf one; printf two"}
        await self._ask(http, "POST", f"/session/{self._session()}/shell", body)

    async def _reply(self, http: httpx2.AsyncClient) -> None:
        for directory in self.where.directories:
            where = {"directory": directory}
            for asked in (await http.get("/permission", params=where)).json():
                body = {"reply": self.random.choice(("once", "once", "reject"))}
                answered = await http.post(f"/permission/{asked['id']}/reply", params=where, json=body)
                assert answered.status_code in (200, *REFUSALS), answered.text

    async def _dispose(self, http: httpx2.AsyncClient) -> None:
        where = {"directory": self.random.choice(self.where.directories)}
        (await http.post("/instance/dispose", params=where)).raise_for_status()

    _weights = {
        _create: 6,
        _prompt: 40,
        _count: 12,
        _abort: 4,
        _delete_session: 3,
        _edit_message: 8,
        _shell: 3,
        _reply: 5,
        _dispose: 1,
    }

    # --- small things -------------------------------------------------------------------------------------------------

    async def _ask(self, http: httpx2.AsyncClient, method: str, path: str, body: object = None) -> None:
        answer = await http.request(method, path, json=body)
        assert answer.status_code < 300 or answer.status_code in REFUSALS, f"{method} {path}: {answer.text}"

    def _session(self) -> str:
        return self.random.choice(self.sessions[-12:]) if self.sessions else "ses_unknown"

    def _text(self, words: int) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, words)))

    def _turns(self) -> list[Turn]:
        chunks = self.random.choice((1, 10, 100, 300))
        text = Text(self._text(chunks * 3), chunks)
        pause = Sleep(self.random.choice((0, 0.05, 0.7)))
        call = Call("bash", {"command": "echo hi", "description": "greet"}, id=f"call_{self.random.randrange(10**6)}")
        todos = [{"content": self._text(3), "status": "pending", "priority": "high"}]
        return self.random.choices(
            [
                [turn(text)],
                [turn(Reasoning(self._text(chunks), chunks), text)],
                [turn(text, pause, Text(self._text(30), 10))],
                [turn(text, call), turn(Text("done ", 2))],
                [turn(call, Call("todowrite", {"todos": todos}, id="call_2")), turn("noted")],
                [turn(Fail(400))],
                [turn(text, StreamError("broke", code="invalid_prompt", type="invalid_request_error"))],
                [turn(text, Cut()), turn(text)],
            ],
            weights=(10, 4, 5, 4, 3, 1, 1, 0.3),
        )[0]


def _part_path(part: Json) -> str:
    return f"/session/{part['sessionID']}/message/{part['messageID']}/part/{part['id']}"
