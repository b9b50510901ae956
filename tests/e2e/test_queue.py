"""Prompts that wait in the queue of a server that is killed."""

from pathlib import Path

import anyio

from opencode.client.client import OpenCodeClient
from opencode.session.inputs import CreateSession, Delivery, PromptInput
from opencode.session.schema import MessageWithParts, SessionIdle, TextPart, TextPartInput
from tests.support.scripted_model.script import Wait, turn
from tests.support.scripted_model.server import ScriptedModel
from tests.support.server_process import Home, server_process


def said(text: str, delivery: Delivery = "queue") -> PromptInput:
    return PromptInput(parts=[TextPartInput(text=text)], delivery=delivery)


def texts(messages: list[MessageWithParts]) -> list[str]:
    return [part.text for message in messages for part in message.parts if isinstance(part, TextPart) and part.text]


async def test_queued_prompts_are_answered_in_order_after_the_server_was_killed(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    """Nobody has to come for that. What was cut off is not done again."""
    first, third, go_on = anyio.Event(), anyio.Event(), anyio.Event()
    model.push(turn(Wait(anyio.Event(), first)), "To two.", turn(Wait(go_on, third), "To three."))
    with anyio.fail_after(60):
        async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
            session = await client.create_session(CreateSession(title="Queue"))
            await client.prompt_async(session.id, said("one"))
            await first.wait()
            for text in ("two", "three"):
                await client.prompt_async(session.id, said(text))
            await server.kill()
        async with server_process(home, project) as server:
            await third.wait()
            async with OpenCodeClient(server.url) as client, client.events() as stream:
                go_on.set()
                async for event in stream:
                    if isinstance(event, SessionIdle):
                        break
                assert texts(await client.messages(session.id)) == ["one", "two", "To two.", "three", "To three."]
