"""Sessions in the official terminal interface: the list, opening, renaming, deleting, changes from outside."""

from typing import Final

import anyio

from opencode.core.tasks import task_group
from scripts.official_clients.check import Check, check, expect
from scripts.official_clients.conversation_checks import FINISHED
from scripts.official_clients.world import World
from tests.support.scripted_model.script import Text, Wait, turn

SESSIONS: Final = ("C-x", "l")


@check("sessions", "the list shows the sessions of the project and opens an older one with its transcript")
async def lists_sessions(world: World) -> None:
    world.expect("to be found again", "Here I am.")
    async with world.tui() as tui:
        await tui.say("to be found again")
        await tui.shows("Here I am.", FINISHED)
    session = (await world.request("GET", "/session"))[0]
    await world.request("PATCH", f"/session/{session['id']}", {"title": "An older one"})
    async with world.tui() as tui:
        await tui.press(*SESSIONS)
        await tui.shows("Sessions", "Today", "An older one", "A scripted title")
        await tui.write("older")
        await tui.press("Enter")
        await tui.shows("to be found again", r"Here I am\.", FINISHED)


@check("session-rename", "a session renamed in the list has its new name everywhere")
async def renames_a_session(world: World) -> None:
    session = await world.request("POST", "/session", {"title": "Badly named"})
    async with world.tui("--session", session["id"], first=session["title"]) as tui:
        await tui.press(*SESSIONS)
        await tui.shows("Badly named")
        await tui.press("C-r")
        await tui.asks("Rename Session")
        await tui.press("C-e", "C-u")
        await tui.say("Well named")
        await tui.shows_no("Rename Session")
    renamed = await world.request("GET", f"/session/{session['id']}")
    expect(renamed["title"] == "Well named", renamed)


@check("session-delete", "a session deleted in the list is gone")
async def deletes_a_session(world: World) -> None:
    await world.request("POST", "/session", {"title": "Soon gone"})
    async with world.tui() as tui:
        await tui.press(*SESSIONS)
        await tui.shows("Soon gone")
        await tui.press("C-d")
        await tui.shows("again to confirm")
        await tui.press("C-d")
        await tui.shows_no("again to confirm|Soon gone")
    titles = [session["title"] for session in await world.request("GET", "/session")]
    expect("Soon gone" not in titles, titles)


@check("outside", "what another client changes is shown at once: a prompt, its answer and a new title")
async def shows_changes_from_outside(world: World) -> None:
    session = await world.request("POST", "/session", {"title": "Seen by two"})
    path = f"/session/{session['id']}"
    world.expect("from elsewhere", "An answer for all.")
    async with world.tui("--session", session["id"], first=session["title"]) as tui:
        await world.request("POST", f"{path}/message", {"parts": [{"type": "text", "text": "from elsewhere"}]})
        await tui.shows("from elsewhere", "An answer for all.", FINISHED)
        await world.request("PATCH", path, {"title": "Renamed by another"})
        await tui.shows("Renamed by another")


@check("open-continue", "attach --continue opens the newest session, attach --session the one that is named")
async def opens_sessions(world: World) -> None:
    older = await world.request("POST", "/session", {"title": "The older one"})
    newer = await world.request("POST", "/session", {"title": "The newer one"})
    for session in (older, newer):
        prompt = {"parts": [{"type": "text", "text": f"said in {session['title']}"}]}
        await world.request("POST", f"/session/{session['id']}/message", prompt)
    async with world.tui("--continue", first="The newer one") as tui:
        await tui.shows("said in The newer one", FINISHED)
    async with world.tui("--session", older["id"], first="The older one") as tui:
        await tui.shows("said in The older one", FINISHED)


@check("long-session", "a session with more messages than the screen asks for opens at its end")
async def opens_a_long_session(world: World) -> None:
    session = await world.request("POST", "/session", {"title": "Long"})
    for number in range(60):
        prompt = {"parts": [{"type": "text", "text": f"message number {number}"}], "noReply": number < 59}
        await world.request("POST", f"/session/{session['id']}/message", prompt)
    async with world.tui("--session", session["id"], first="number 59") as tui:
        await tui.shows("number 58", FINISHED)


@check("late", "who opens a session in the middle of an answer sees the answer from its beginning")
async def sees_the_beginning(world: World) -> None:
    reached, goes_on = anyio.Event(), anyio.Event()
    world.expect("begin it", turn(Text("It began with this,"), Wait(goes_on, reached), Text(" and ended with that.")))
    session = await world.request("POST", "/session", {"title": "In the middle"})
    prompt = {"parts": [{"type": "text", "text": "begin it"}]}
    async with task_group() as tasks:
        tasks.start_soon(world.request, "POST", f"/session/{session['id']}/message", prompt)
        await reached.wait()
        try:
            async with world.tui("--session", session["id"], first="begin it") as tui:
                await tui.shows("It began with this,")
                goes_on.set()
                await tui.shows(r"It began with this, and ended with that\.", FINISHED)
        finally:
            goes_on.set()


@check("fork", "attach --fork goes on in a copy and leaves the session as it was", since="1.18")
async def forks(world: World) -> None:
    world.expect("the trunk", "A trunk.")
    world.expect("the branch", "A branch.")
    session = await world.request("POST", "/session", {"title": "Forked from"})
    prompt = {"parts": [{"type": "text", "text": "the trunk"}]}
    await world.request("POST", f"/session/{session['id']}/message", prompt)
    async with world.tui("--session", session["id"], "--fork", first=r"Forked from \(fork") as tui:
        await tui.shows("the trunk", r"A trunk\.")
        await tui.say("the branch")
        await tui.shows(r"A branch\.", FINISHED)
    expect(len(await world.request("GET", f"/session/{session['id']}/message")) == 2, "the session was changed")


SESSION_CHECKS: Final = [found for found in vars().values() if isinstance(found, Check)]
