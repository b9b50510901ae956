"""Sessions of all kinds, made through the API that every official version has."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2

from tests.support.scripted_config import says
from tests.support.scripted_model.script import Call, Fail, Reasoning, Text, Tokens, Turn, Wait, turn
from tests.support.scripted_model.server import ScriptedModel

REQUEST_SECONDS: Final = 60
PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ALPHABETS: Final = ("Grüße aus Århus", "数えてください", "Привет, мир", "🦊 und \u202eRTL\u202c, \u0000-frei")


@dataclass(frozen=True)
class Author:
    """Talks to one server about one directory."""

    client: httpx2.AsyncClient
    model: ScriptedModel
    directory: Path

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request; its JSON answer, nothing for an empty one."""
        response = await self.client.request(
            method, path, json=body, headers={"x-opencode-directory": str(self.directory)}
        )
        if not response.is_success:
            raise AssertionError(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        return response.json() if response.content else None

    async def session(self, title: str, **more: Any) -> str:
        """A new session; its id."""
        made = await self.request("POST", "/session", {"title": title, **more})
        return str(made["id"])

    async def prompt(self, session_id: str, text: str, *turns: Turn | str, parts: tuple[Any, ...] = ()) -> Any:
        """Send a text and wait for the end of the turn, in which the model answers ``turns``."""
        self.model.push_for(says(text), *turns)
        body = {"parts": [*parts, {"type": "text", "text": text}]}
        return await self.request("POST", f"/session/{session_id}/message", body)


Conversation = Callable[[Author], Awaitable[None]]


async def with_tools(author: Author) -> None:
    """Reads, writes, a failing call, reasoning, texts in several scripts; then a fork of it."""
    session_id = await author.session("Tools and alphabets")
    file = author.directory / "greeting.txt"
    await author.prompt(
        session_id,
        "use your tools",
        turn(Reasoning("I should read first.", chunks=2), Call("read", {"filePath": str(file)}, id="call_1")),
        turn("Now I write.", Call("write", {"filePath": str(file), "content": "Salut\n"}, id="call_2")),
        turn(Call("read", {"filePath": str(author.directory / "missing.txt")}, id="call_3")),
        turn(Call("bash", {"command": "printf 'eins\\nzwei\\n'", "description": "Print two lines"}, id="call_4")),
        turn(Text(" ".join(ALPHABETS), chunks=4), tokens=Tokens(input=1200, output=80, cached=1000, reasoning=12)),
    )
    await author.prompt(session_id, "thank you", "Gern geschehen.", parts=({"type": "text", "text": ALPHABETS[0]},))
    messages = await author.request("GET", f"/session/{session_id}/message")
    second = [message["info"]["id"] for message in messages if message["info"]["role"] == "user"][1]
    await author.request("POST", f"/session/{session_id}/fork", {"messageID": second})


async def with_a_subagent(author: Author) -> None:
    """A child session, made by the task tool."""
    session_id = await author.session("Delegating")
    author.model.push_for(says("count the lines inside"), "There are three lines.")
    task = {"description": "Count lines", "prompt": "count the lines inside", "subagent_type": "general"}
    await author.prompt(session_id, "delegate this", turn(Call("task", task)), "The helper found three.")


async def with_todos(author: Author) -> None:
    """A task list, written twice."""
    session_id = await author.session("Planning")
    first = [todo("1", "Read the code", "in_progress"), todo("2", "Écrire les tests", "pending")]
    second = [todo("1", "Read the code", "completed"), todo("2", "Écrire les tests", "in_progress")]
    await author.prompt(
        session_id,
        "plan the work",
        turn(Call("todowrite", {"todos": first}, id="call_1")),
        turn(Call("todowrite", {"todos": second}, id="call_2")),
        "Planned.",
    )


def todo(id: str, content: str, status: str) -> dict[str, str]:
    return {"id": id, "content": content, "status": status, "priority": "high"}


async def reverted(author: Author) -> None:
    """A file is written in the second turn, and that turn is taken back."""
    session_id = await author.session("Second thoughts")
    await author.prompt(session_id, "say something", "Something.")
    path = str(author.directory / "unwanted.txt")
    await author.prompt(session_id, "write it", turn(Call("write", {"filePath": path, "content": "x\n"})), "Written.")
    messages = await author.request("GET", f"/session/{session_id}/message")
    second = [message["info"]["id"] for message in messages if message["info"]["role"] == "user"][1]
    await author.request("POST", f"/session/{session_id}/revert", {"messageID": second})


async def compacted(author: Author) -> None:
    """A history that was summarised, and went on."""
    session_id = await author.session("Long talk")
    await author.prompt(session_id, "tell me a long story", "Once upon a time there was a very long story.")
    author.model.push_for(says("tell me a long story"), "Summary: a story was told.")
    await author.request("POST", f"/session/{session_id}/summarize", {"providerID": "scripted", "modelID": "m1"})
    await author.prompt(session_id, "and then what", "And then it ended.")


async def with_files(author: Author) -> None:
    """An image in the message, a file of the project, and a directory."""
    session_id = await author.session("Attachments")
    image = {
        "type": "file",
        "mime": "image/png",
        "filename": "pixel.png",
        "url": "data:image/png;base64," + base64.b64encode(PIXEL).decode(),
    }
    text = {
        "type": "file",
        "mime": "text/plain",
        "filename": "notes.md",
        "url": (author.directory / "notes.md").as_uri(),
        "source": {"type": "file", "path": "notes.md", "text": {"value": "@notes.md", "start": 0, "end": 9}},
    }
    await author.prompt(session_id, "look at these", "Seen.", parts=(image, text))


async def renamed_and_archived(author: Author) -> None:
    """A title with an emoji; put away."""
    session_id = await author.session("Soon another name")
    await author.prompt(session_id, "archive me", "Goodbye.")
    await author.request("PATCH", f"/session/{session_id}", {"title": "Ein anderer Name 🗃️"})
    await author.request("PATCH", f"/session/{session_id}", {"time": {"archived": 1_760_000_000_000}})


async def deleted(author: Author) -> None:
    """A session that is gone must not come back."""
    session_id = await author.session("Not to be seen")
    await author.prompt(session_id, "delete me", "As you wish.")
    await author.request("DELETE", f"/session/{session_id}")


async def failed(author: Author) -> None:
    """The provider refuses."""
    session_id = await author.session("Refused")
    await author.prompt(session_id, "this is refused", turn(Fail(400, "the model does not like this")))


async def aborted(author: Author) -> None:
    """Stopped in the middle of an answer."""
    session_id = await author.session("Interrupted")
    reached = anyio.Event()
    slow = turn(Text("The beginning of "), Wait(anyio.Event(), reached))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(author.prompt, session_id, "talk for ever", slow)
        with anyio.fail_after(REQUEST_SECONDS):
            await reached.wait()
        await anyio.sleep(0.5)
        await author.request("POST", f"/session/{session_id}/abort")


async def with_a_shell_command(author: Author) -> None:
    """A command of the user's own."""
    session_id = await author.session("Shell")
    body = {"agent": "build", "command": "printf 'drei vier\\n'", "model": {"providerID": "scripted", "modelID": "m1"}}
    await author.request("POST", f"/session/{session_id}/shell", body)


async def empty(author: Author) -> None:
    """Nothing was said."""
    await author.request("POST", "/session", {})


CONVERSATIONS: Final[tuple[Conversation, ...]] = (
    with_tools,
    with_a_subagent,
    with_todos,
    reverted,
    compacted,
    with_files,
    renamed_and_archived,
    deleted,
    failed,
    aborted,
    with_a_shell_command,
    empty,
)


async def elsewhere(author: Author) -> None:
    """A session of a directory without a repository."""
    session_id = await author.session("Outside of any repository")
    await author.prompt(session_id, "where are we", "Nowhere special.")
