"""Which sessions get a title, and what of the model's words becomes it."""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET
from opencode.loop.title import DEFAULT_TITLE, clean_title, wants_title
from opencode.session.inputs import PromptInput, UpdateSession
from opencode.session.schema import MessageWithParts, Session, SessionTime, SubtaskPartInput, TextPartInput
from tests.support.opened_instance import Opened, open_instance_in
from tests.support.opened_instance import said as said_prompt
from tests.support.records import assistant_message, text_part, user_message
from tests.support.scripted_model.script import Wait, turn

DEFAULT = "New session - 2026-01-02T03:04:05.678Z"


def session(title: str = DEFAULT, parent: Any = UNSET) -> Session:
    return Session(
        id=SessionID("ses_1"), slug="x", project_id="p", directory="/", title=title, version="1", parent_id=parent,
        time=SessionTime(created=1, updated=1),
    )  # fmt: skip


def said(id: str, *, synthetic: bool = False) -> MessageWithParts:
    part = text_part("ses_1", id, f"prt_{id}", **({"synthetic": True} if synthetic else {}))
    return MessageWithParts(info=user_message("ses_1", id), parts=[part])


ANSWER = MessageWithParts(info=assistant_message("ses_1", "msg_9", "msg_1"), parts=[])


@pytest.mark.parametrize(
    ("who", "history", "wants"),
    [
        (session(), [said("msg_1")], True),
        (session(), [said("msg_0", synthetic=True), said("msg_1"), ANSWER], True),
        (session(), [said("msg_1"), ANSWER, said("msg_2")], False),
        (session(), [said("msg_1", synthetic=True)], False),
        (session("Mine"), [said("msg_1")], False),
        (session(DEFAULT + " and more"), [said("msg_1")], False),
        (session(DEFAULT.replace("New", "Child")), [said("msg_1")], True),
        (session(parent=SessionID("ses_0")), [said("msg_1")], False),
    ],
)
def test_the_first_prompt_of_an_unnamed_root_session_gives_its_title(
    who: Session, history: list[MessageWithParts], wants: bool
) -> None:
    assert wants_title(who, history) is wants


@pytest.mark.parametrize(
    ("spoken", "title"),
    [
        ("Fixing the clock", "Fixing the clock"),
        ("\n\n  Fixing  \nthe clock", "Fixing"),
        ("<think>Hm,\nwhat now?</think>\n\nFixing", "Fixing"),
        ("<think>a</think>One<think>b</think>", "One"),
        ("", ""),
        ("  \n ", ""),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 97 + "..."),
    ],
)
def test_a_title_is_the_first_line_that_says_something(spoken: str, title: str) -> None:
    assert clean_title(spoken) == title


# --- naming ----------------------------------------------------------------------------------------------------------


async def titled(opened: Opened, session: SessionID) -> str:
    """The title of a session once it is no longer the default one."""
    with anyio.fail_after(20):
        while DEFAULT_TITLE.match((await opened.sessions.get(session)).title):
            await anyio.lowlevel.checkpoint()
    return (await opened.sessions.get(session)).title


async def test_the_title_is_asked_of_the_agents_model_with_the_first_prompt(tmp_path: Path) -> None:
    agents = {"title": {"model": "scripted/m2", "prompt": "Make a title."}}
    async with open_instance_in(tmp_path, models={"m2": {"name": "M2"}}, agent=agents) as opened:
        opened.model.push_for(lambda request: request.body["model"] == "m2", "  Clock repair \nand more")
        session = await opened.session(title=UNSET)
        await opened.prompts.prompt(session, said_prompt("Fix the clock"))
        assert await titled(opened, session) == "Clock repair"
        [request] = [request for request in opened.model.requests if request.body["model"] == "m2"]
    assert [message["content"] for message in request.body["messages"]] == [
        "Make a title.", "Generate a title for this conversation:\n", "Fix the clock",
    ]  # fmt: skip
    assert "tools" not in request.body


async def test_the_small_model_is_asked_where_one_is_configured(tmp_path: Path) -> None:
    async with open_instance_in(tmp_path, models={"m2": {"name": "M2"}}, small_model="scripted/m2") as opened:
        session = await opened.session(title=UNSET)
        await opened.prompts.prompt(session, said_prompt("Fix the clock"))
        assert await titled(opened, session) == "A scripted title"
        assert [request.body["model"] for request in opened.model.requests if request.is_title] == ["m2"]


async def test_a_subtask_gives_its_session_a_title_too(tmp_path: Path) -> None:
    async with open_instance_in(tmp_path) as opened:
        session = await opened.session(title=UNSET)
        task = SubtaskPartInput(prompt="Wind the clock", description="winds", agent="general")
        await opened.prompts.prompt(session, PromptInput(parts=[task]))
        assert await titled(opened, session) == "A scripted title"
        [request] = [request for request in opened.model.requests if request.is_title]
    assert request.body["messages"][-1]["content"] == "Wind the clock"


async def test_a_note_of_the_servers_own_does_not_stand_for_the_first_prompt(tmp_path: Path) -> None:
    async with open_instance_in(tmp_path) as opened:
        session = await opened.session(title=UNSET)
        note = TextPartInput(text="The clock is at home.", synthetic=True)
        await opened.prompts.prompt(session, PromptInput(parts=[note], no_reply=True))
        await opened.prompts.prompt(session, said_prompt("Fix the clock"))
        assert await titled(opened, session) == "A scripted title"
        [request] = [request for request in opened.model.requests if request.is_title]
    assert request.body["messages"][-1]["content"] == "Fix the clock"


async def test_a_title_that_a_person_gives_meanwhile_stays(tmp_path: Path) -> None:
    async with open_instance_in(tmp_path) as opened:
        gate, reached = anyio.Event(), anyio.Event()
        opened.model.title = turn("Too ", Wait(gate, reached), "late")
        session = await opened.session(title=UNSET)
        with anyio.fail_after(20):
            await opened.prompts.prompt(session, said_prompt("Fix the clock"))
            await reached.wait()
            await opened.sessions.update(session, UpdateSession(title="Mine"))
            gate.set()
            [request] = [request for request in opened.model.requests if request.is_title]
            await request.ended.wait()
        await opened.prompts.prompt(session, said_prompt("Again"))
        assert (await opened.sessions.get(session)).title == "Mine"
