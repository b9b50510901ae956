"""What configuration says about refused and about repeated calls."""

from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.permission.schema import PermissionAsked
from opencode.question.schema import QuestionAsked
from tests.support.scripted_model.script import Call, turn
from tests.wire.delegating import Script, scripted

RUN = turn(Call("bash", {"command": "true"}, id="call_b"))
QUESTION = {"question": "Which?", "header": "Which", "options": [{"label": "A", "description": "a"}]}


async def reject_permission(script: Script) -> None:
    [asked] = await script.until(PermissionAsked)
    await script.client.post(f"/permission/{asked.id}/reply", json={"reply": "reject"})


async def reject_question(script: Script) -> None:
    [asked] = await script.until(QuestionAsked)
    await script.client.post(f"/question/{asked.id}/reject")


@pytest.mark.parametrize(("goes_on", "requests"), [(True, 2), (False, 1)])
async def test_a_refused_call_ends_the_turn_unless_the_configuration_goes_on(
    client: httpx.AsyncClient, shared: Shared, project: Path, goes_on: bool, requests: int
) -> None:
    experimental = {"continue_loop_on_deny": goes_on}
    async with scripted(client, shared, project, permission={"bash": "ask"}, experimental=experimental) as script:
        script.model.push(RUN, "Then without.")
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reject_permission, script)
            await script.prompt(session, "Run it")
        assert len(script.model.turns) == requests


async def test_a_dismissed_question_does_not_end_the_turn_either(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, experimental={"continue_loop_on_deny": True}) as script:
        script.model.push(turn(Call("question", {"questions": [QUESTION]})), "Then I decide.")
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reject_question, script)
            answer = await script.prompt(session, "Ask me")
        assert answer["parts"][1]["text"] == "Then I decide."


@pytest.mark.parametrize(("setting", "asked"), [({"doom_loop_steps": True}, 1), ({}, 0)])
async def test_the_same_call_in_step_after_step_is_asked_about_where_that_is_set(
    client: httpx.AsyncClient, shared: Shared, project: Path, setting: dict[str, bool], asked: int
) -> None:
    async with scripted(client, shared, project, experimental=setting) as script:
        script.model.push(*[turn(Call("read", {"filePath": "hello.txt"}, id=f"call_{n}")) for n in range(3)], "Done.")
        session = await script.session()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.prompt, session, "Read it")
            for request in await script.until(PermissionAsked, asked):
                assert (request.permission, request.patterns) == ("doom_loop", ["read"])
                await script.client.post(f"/permission/{request.id}/reply", json={"reply": "once"})
        assert (await script.messages(session))[-1]["parts"][1]["text"] == "Done."
        assert len(script.heard(PermissionAsked)) == asked


async def test_calls_of_an_earlier_turn_are_no_repetition(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    async with scripted(client, shared, project, experimental={"doom_loop_steps": True}) as script:
        session = await script.session()
        for number in range(3):
            script.model.push(turn(Call("read", {"filePath": "hello.txt"}, id=f"call_{number}")), "Done.")
            await script.prompt(session, "Read it")
        assert script.heard(PermissionAsked) == []
