"""A server that is killed in the middle of a tool call, and started again on the same data."""

import json
from pathlib import Path

import anyio
import httpx2

from opencode.client.client import OpenCodeClient
from opencode.client.schema import OtherEvent, ServerConnected
from opencode.client.stream import EventStream
from opencode.event.schema import Event
from opencode.permission.schema import PermissionAsked
from opencode.session.inputs import PromptInput
from opencode.session.schema import (
    AssistantMessage,
    MessagePartUpdated,
    MessageWithParts,
    SessionIdle,
    TextPart,
    TextPartInput,
    ToolPart,
    ToolStateError,
    ToolStateRunning,
)
from tests.support.scripted_model.script import Call, Text, Wait, turn
from tests.support.scripted_model.server import ScriptedModel
from tests.support.server_process import Home, server_process

PROMPTS = ["first", "second"]


def is_running(event: Event) -> bool:
    return (
        isinstance(event, MessagePartUpdated)
        and isinstance(event.part, ToolPart)
        and isinstance(event.part.state, ToolStateRunning)
    )


async def until_running(stream: EventStream) -> str:
    """The cursor of the last event before the tool runs."""
    before = stream.cursor
    async for event in stream:
        if is_running(event):
            break
        before = stream.cursor
    assert before is not None
    return before


async def test_nothing_acknowledged_is_lost_and_nothing_stays_busy(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    model.push("answered", turn(Call("bash", {"command": "sleep 30", "description": "x"})))
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        session = await client.create_session()
        await client.prompt(session.id, PromptInput(parts=[TextPartInput(text=PROMPTS[0])]))
        with anyio.fail_after(20):
            async with client.events() as stream:
                await client.prompt_async(session.id, PromptInput(parts=[TextPartInput(text=PROMPTS[1])]))
                cursor = await until_running(stream)
        before = await client.messages(session.id)
        await server.kill()

    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        after = await client.messages(session.id)
        assert texts(after) == [*PROMPTS[:1], "answered", *PROMPTS[1:]]
        assert [message.info.id for message in after] == [message.info.id for message in before]
        assert await client.statuses() == {}
        assert settled_tool(after) is not None
        assert all(message.info.time.completed for message in after if isinstance(message.info, AssistantMessage))
        with anyio.fail_after(10):
            async with client.events(since=cursor) as stream:
                missed = await until_idle(stream)
        assert [event for event in missed if is_running(event)]
        assert any(isinstance(event, MessagePartUpdated) and is_settled(event.part) for event in missed)

        answer = await client.prompt(session.id, PromptInput(parts=[TextPartInput(text="third")]))
        assert [part.text for part in answer.parts if isinstance(part, TextPart)] == ["OK."]
    assert "sleep 30" in json.dumps(model.turns[-1].body)


async def until_idle(stream: EventStream) -> list[Event]:
    """What comes after the greeting, to the end of the turn."""
    events: list[Event] = []
    async for event in stream:
        if isinstance(event, SessionIdle):
            break
        if not isinstance(event, ServerConnected):
            events.append(event)
    assert not any(isinstance(event, OtherEvent) and event.kind == "server.resync" for event in events)
    return events


def texts(messages: list[MessageWithParts]) -> list[str]:
    return [part.text for message in messages for part in message.parts if isinstance(part, TextPart)]


def settled_tool(messages: list[MessageWithParts]) -> ToolStateError | None:
    parts = [part for message in messages for part in message.parts if isinstance(part, ToolPart)]
    (state,) = (part.state for part in parts)
    return state if isinstance(state, ToolStateError) else None


def is_settled(part: object) -> bool:
    return isinstance(part, ToolPart) and isinstance(part.state, ToolStateError)


async def test_a_request_for_permission_is_still_there_and_its_reply_goes_on_with_the_session(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    model.push(turn(Call("bash", {"command": "ls", "description": "x"})), "went on")
    home.variables["OPENCODE_CONFIG_CONTENT"] = json.dumps({"permission": {"bash": "ask"}})
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        session = await client.create_session()
        with anyio.fail_after(20):
            async with client.events() as stream:
                await client.prompt_async(session.id, PromptInput(parts=[TextPartInput(text="go")]))
                async for event in stream:
                    if isinstance(event, PermissionAsked):
                        break
        await server.kill()
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        assert await client.statuses() == {}
        assert settled_tool(await client.messages(session.id)) is not None
        (asked,) = await client.permissions()
        with anyio.fail_after(20):
            async with client.events() as stream:
                await client.reply_permission(asked.id, "once")
                await until_idle(stream)
        assert await client.permissions() == []
        assert texts(await client.messages(session.id)) == ["go", "went on"]


async def test_a_server_that_is_killed_while_it_streams_leaves_whole_records(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    gate = anyio.Event()
    model.push(turn(Text("half an "), Wait(gate), Text("answer")))
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        session = await client.create_session()
        with anyio.fail_after(20):
            async with client.events() as stream:
                await client.prompt_async(session.id, PromptInput(parts=[TextPartInput(text="go")]))
                async for event in stream:
                    if event.type == "message.part.delta":
                        break
        await server.kill()
    gate.set()
    async with server_process(home, project) as server, httpx2.AsyncClient(base_url=server.url) as http:
        messages = (await http.get(f"/session/{session.id}/message")).json()
        assert [message["info"]["role"] for message in messages] == ["user", "assistant"]
        assert messages[0]["parts"][0]["text"] == "go"
        assert messages[1]["info"]["time"]["completed"]
        assert (await http.get("/session/status")).json() == {}
