"""Clients that use one server at the same time until it dies, and write down what it acknowledged."""

import re
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import anyio
import httpx2

from tests.crash.ledger import DIED, Cell, Json, Ledger

USERS = 3
REPLY_PAUSE_SECONDS = 0.02
GONE = (404, 409, 400, 503)
"""What a request may meet: the ask was settled, its session deleted, or its directory closed meanwhile."""


async def use(http: httpx2.AsyncClient, ledger: Ledger, seed: str) -> None:
    """Use the server until it does not answer any more."""
    async with anyio.create_task_group() as tasks:
        for number in range(USERS):
            user = User(http, ledger, f"{seed}/{number}")
            tasks.start_soon(_until_dead, user.act)
        replier = Replier(http, ledger, Random(f"{seed}/replies"))
        tasks.start_soon(_until_dead, replier.look)


async def _until_dead(act: Callable[[], Awaitable[None]]) -> None:
    try:
        while True:
            await act()
    except DIED:
        return


class User:
    """Does one thing after the other, chosen by the seed."""

    def __init__(self, http: httpx2.AsyncClient, ledger: Ledger, seed: str) -> None:
        self._http = http
        self._ledger = ledger
        self._random = Random(seed)
        self._name = re.sub(r"\W", "x", seed)  # one word, by which the model knows each prompt
        self._count = 0

    async def act(self) -> None:
        actions = [self._create, self._rename, self._note, self._prompt, self._prompt, self._prompt_async]
        actions += [self._prompt_async, self._shell, self._abort, self._delete, self._configure, self._store_key]
        weights = [2, 2, 2, 6, 6, 6, 6, 2, 1, 1, 0.4, 1]
        self._count += 1
        (action,) = self._random.choices(actions, weights)
        await action()

    async def _create(self) -> None:
        title = self._fresh("title")
        answer = await self._send("POST", "/session", {"title": title})
        if answer is not None:
            self._ledger.sessions[answer["id"]] = Cell(title)

    async def _rename(self) -> None:
        if (session := await self._session()) is not None:
            title = self._fresh("title")
            await self._set(self._ledger.sessions[session], title, "PATCH", f"/session/{session}", {"title": title})

    async def _note(self) -> None:
        await self._say("message", reply=False)

    async def _prompt(self) -> None:
        answer = await self._say("message")
        assert answer is None or "info" in answer, answer
        if answer is not None and answer["info"]["role"] == "assistant":
            self._ledger.answers[answer["info"]["id"]] = answer

    async def _prompt_async(self) -> None:
        await self._say("prompt_async")

    async def _say(self, route: str, *, reply: bool = True) -> Json | None:
        if (session := await self._session()) is None:
            return None
        message, text = f"msg_{self._fresh('m')}", self._fresh("prompt-")
        body = {"messageID": message, "parts": [{"type": "text", "text": text}], "noReply": not reply}
        answer = await self._send("POST", f"/session/{session}/{route}", body)
        if answer is not None:
            self._ledger.prompts[message] = (session, text)
        return answer

    async def _shell(self) -> None:
        if (session := await self._session()) is not None:
            body = {"agent": "build", "command": f"echo {self._fresh('shell')}"}
            answer = await self._send("POST", f"/session/{session}/shell", body)
            if answer is not None:
                self._ledger.answers[answer["info"]["id"]] = answer

    async def _abort(self) -> None:
        if (session := await self._session()) is not None:
            self._ledger.aborted.add(session)
            await self._send("POST", f"/session/{session}/abort", None)

    async def _delete(self) -> None:
        if (session := await self._session()) is not None and len(self._ledger.known()) > 2:
            self._ledger.deleting.add(session)
            if await self._send("DELETE", f"/session/{session}", None) is not None:
                self._ledger.deleted.add(session)

    async def _configure(self) -> None:
        name = self._fresh("name")
        self._ledger.aborted.update(self._ledger.sessions)  # the instance is opened anew
        await self._set(self._ledger.username, name, "PATCH", "/global/config", {"username": name})

    async def _store_key(self) -> None:
        provider, key = f"p{self._random.randrange(3)}", self._fresh("key")
        cell = self._ledger.keys.setdefault(provider, Cell())
        await self._set(cell, key, "PUT", f"/auth/{provider}", {"type": "api", "key": key})

    async def _set(self, cell: Cell, value: str, method: str, path: str, body: Json) -> None:
        cell.tried(value)
        if await self._send(method, path, body) is not None:
            cell.acknowledged(value)

    async def _session(self) -> str | None:
        """One of the sessions; a new one when there are few."""
        if len(self._ledger.known()) < 3:
            await self._create()
        known = self._ledger.known()
        return self._random.choice(known) if known else None

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._name}x{self._count}"

    async def _send(self, method: str, path: str, body: Any) -> Json | None:
        """What the server acknowledged; None when it refused for a reason that other users can give."""
        response = await self._http.request(method, path, json=body)
        if response.status_code in GONE:
            return None
        assert response.is_success, (method, path, response.status_code, response.text)
        self._ledger.acknowledged += 1
        return response.json() if response.content else {}


class Replier:
    """Answers most of what the server asks."""

    def __init__(self, http: httpx2.AsyncClient, ledger: Ledger, random: Random) -> None:
        self._http = http
        self._ledger = ledger
        self._random = random

    async def look(self) -> None:
        await anyio.sleep(REPLY_PAUSE_SECONDS)
        for request in (await self._http.get("/permission")).json():
            if self._random.random() < 0.5:
                reply = self._random.choice(["once", "once", "always", "reject"])
                await self._reply(f"/permission/{request['id']}/reply", {"reply": reply}, request)
        for request in (await self._http.get("/question")).json():
            match self._random.choice(["answer", "answer", "reject", "wait"]):
                case "answer":
                    if await self._reply(f"/question/{request['id']}/reply", {"answers": [["yes"]]}, request):
                        self._ledger.told[request["id"]] = request
                case "reject":
                    await self._reply(f"/question/{request['id']}/reject", None, request)

    async def _reply(self, path: str, body: Any, request: Json) -> bool:
        response = await self._http.post(path, json=body)
        if response.status_code in GONE:
            return False
        assert response.is_success, (path, response.status_code, response.text)
        self._ledger.settled.add(request["id"])
        self._ledger.acknowledged += 1
        return True
