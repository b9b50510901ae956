"""The official terminal interface, attached to our server."""

import re
from typing import Final

import anyio

from scripts.official_clients.check import Check, check, expect
from scripts.official_clients.terminal import Terminal
from scripts.official_clients.world import World
from tests.support.scripted_model.script import Call, Fail, Text, Wait, turn

FINISHED: Final = r"▣ +Build · M1 · [\d.]+m?s"
SESSIONS: Final = ("C-x", "l")


def calls_bash(command: str, call_id: str = "call_1") -> Call:
    return Call("bash", {"command": command, "description": "Echo a word"}, id=call_id)


async def rejected(tui: Terminal) -> None:
    await tui.shows("Permission required")
    await tui.press("Right", "Right", "Enter")


@check("start", "the first screen shows the model, the directory and the branch of our server's project")
async def starts(world: World) -> None:
    async with world.tui() as tui:
        await tui.shows("Ask anything", r"Build · M1 scripted", f"{re.escape(str(world.project))}:\\w+")


@check("stream", "an answer is shown while it arrives, then the footer with its duration and the token count")
async def streams(world: World) -> None:
    reached, goes_on = anyio.Event(), anyio.Event()
    world.expect("tell me", turn(Text("The first half,", chunks=3), Wait(goes_on, reached), Text(" the second half.")))
    async with world.tui() as tui:
        await tui.say("tell me")
        await reached.wait()
        screen = await tui.shows("The first half,")
        expect("second half" not in screen and not re.search(FINISHED, screen), screen)
        goes_on.set()
        await tui.shows("The first half, the second half.", FINISHED, "110 tokens")


@check("title", "the generated title replaces the first one while the session is open")
async def shows_the_title(world: World) -> None:
    async with world.tui() as tui:
        await tui.say("give this a title")
        await tui.shows("A scripted title", FINISHED)


@check("tool", "a tool call and what the model makes of its result are shown")
async def shows_a_tool_call(world: World) -> None:
    world.expect("read it", turn(Call("read", {"filePath": str(world.project / "greeting.py")})), "It prints Hello.")
    async with world.tui() as tui:
        await tui.say("read it")
        await tui.shows(r"→ Read greeting\.py", r"It prints Hello\.", FINISHED)


@check("write", "a file the model writes is on disk and in the transcript")
async def writes_a_file(world: World) -> None:
    path = world.project / "written.txt"
    world.expect("write it", turn(Call("write", {"filePath": str(path), "content": "forty-two\n"})), "Written.")
    async with world.tui() as tui:
        await tui.say("write it")
        await tui.shows("written.txt", "Written.", FINISHED)
    expect(path.read_text() == "forty-two\n", path.read_text())


@check("permission-once", "Allow once runs the command, and the same command asks again")
async def allows_once(world: World) -> None:
    world.expect("run once", turn(calls_bash("echo on''ce")), turn(calls_bash("echo on''ce", "call_2")), "Both done.")
    async with world.tui() as tui:
        await tui.say("run once")
        await tui.shows("Permission required", "Allow once", "Allow always", "Reject")
        await tui.press("Enter")
        await tui.shows(r"^ +┃ +once\b|\n +┃ +once\b", "Permission required")
        await tui.press("Enter")
        await tui.shows("Both done.", FINISHED)


@check("permission-always", "Allow always names its pattern, runs the command, and does not ask for it again")
async def allows_always(world: World) -> None:
    world.expect("run always", turn(calls_bash("printf a''a")), turn(calls_bash("printf b''b", "call_2")), "Both done.")
    async with world.tui() as tui:
        await tui.say("run always")
        await tui.shows("Permission required")
        await tui.press("Right", "Enter")
        await tui.shows(r"printf \*", "Confirm")
        await tui.press("Enter")
        await tui.shows(r"┃ +aa\b", r"┃ +bb\b", "Both done.", FINISHED)


@check("permission-reject", "Reject ends the turn, and the command did not run")
async def rejects(world: World) -> None:
    path = world.project / "forbidden"
    world.expect("run never", turn(calls_bash(f"touch {path}")), "This must not be said.")
    async with world.tui() as tui:
        await tui.say("run never")
        await rejected(tui)
        await tui.shows_no("Permission required")
        await tui.press("Escape")
        screen = await tui.screen()
        expect("This must not be said." not in screen and not path.exists(), screen)


@check("question", "the model's question is asked, and the chosen answer reaches the model")
async def answers_a_question(world: World) -> None:
    options = [{"label": "Cobalt", "description": "A blue"}, {"label": "Umber", "description": "A brown"}]
    question = {"question": "Which colour?", "header": "Colour", "options": options}
    world.expect("ask me", turn(Call("question", {"questions": [question]})), "A good choice.")
    async with world.tui() as tui:
        await tui.say("ask me")
        await tui.shows(r"Which colour\?", "Cobalt", "Umber")
        await tui.press("Down", "Enter")
        await tui.shows("A good choice.", "Umber", FINISHED)
    result = next(request.raw for request in reversed(world.model.turns) if b"ask me" in request.raw)
    expect(b"Umber" in result.split(b'"role":"tool"')[-1], result)


@check("question-dismissed", "a dismissed question ends the turn")
async def dismisses_a_question(world: World) -> None:
    question = {"question": "Which one?", "header": "One", "options": [{"label": "This", "description": "It"}]}
    world.expect("ask in vain", turn(Call("question", {"questions": [question]})), "This must not be said.")
    async with world.tui() as tui:
        await tui.say("ask in vain")
        await tui.shows(r"Which one\?")
        await tui.press("Escape")
        await tui.shows_no(r"esc (dismiss|interrupt)")
        expect("This must not be said." not in await tui.screen(), await tui.screen())


@check("abort", "Escape twice stops the answer, and the connection to the model is closed")
async def aborts(world: World) -> None:
    reached, never = anyio.Event(), anyio.Event()
    world.expect("go on for ever", turn("On and on", Wait(never, reached)))
    async with world.tui() as tui:
        await tui.say("go on for ever")
        await reached.wait()
        await tui.shows("On and on", "interrupt")
        await tui.press("Escape", "Escape")
        await tui.shows("interrupted")
    request = next(request for request in world.model.turns if b"go on for ever" in request.raw)
    with anyio.fail_after(5):
        await request.ended.wait()
    expect(request.outcome == "left", request.outcome)


@check("abort-command", "Escape twice kills a running command and all it started")
async def aborts_a_command(world: World) -> None:
    path = world.project / "beats"
    beats = f"while true; do echo beat >> {path}; sleep 0.1; done & wait"
    world.expect("start beating", turn(calls_bash(beats)), "This must not be said.")
    async with world.tui() as tui:
        await tui.say("start beating")
        await tui.shows("Permission required")
        await tui.press("Enter")
        with anyio.fail_after(10):
            while not path.exists():
                await anyio.sleep(0.1)
        await tui.press("Escape", "Escape")
        await tui.shows("interrupted")
    length = path.stat().st_size
    await anyio.sleep(0.5)
    expect(path.stat().st_size == length, "the command was still running")


@check("model-error", "a refusal of the model's provider is shown")
async def shows_a_model_error(world: World) -> None:
    world.expect("be refused", turn(Fail(400, "the scripted refusal")))
    async with world.tui() as tui:
        await tui.say("be refused")
        await tui.shows("the scripted refusal")


@check("shell", "!command runs a command of the user's and shows its output")
async def runs_a_shell_command(world: World) -> None:
    async with world.tui() as tui:
        await tui.press("!")
        await tui.say("echo from''shell")
        await tui.shows(r"┃ +fromshell\b")


@check("sessions", "the list shows the sessions of the project and opens an older one with its transcript")
async def lists_sessions(world: World) -> None:
    world.expect("to be found again", "Here I am.")
    async with world.tui() as tui:
        await tui.say("to be found again")
        await tui.shows("Here I am.", FINISHED)
    session = (await world.ask_server("GET", "/session"))[0]
    await world.ask_server("PATCH", f"/session/{session['id']}", {"title": "An older one"})
    async with world.tui() as tui:
        await tui.press(*SESSIONS)
        await tui.shows("Sessions", "Today", "An older one", "A scripted title")
        await tui.write("older")
        await tui.press("Enter")
        await tui.shows("to be found again", r"Here I am\.", FINISHED)


@check("session-rename", "a session renamed in the list has its new name everywhere")
async def renames_a_session(world: World) -> None:
    session = await world.ask_server("POST", "/session", {"title": "Badly named"})
    async with world.tui("--session", session["id"]) as tui:
        await tui.press(*SESSIONS)
        await tui.shows("Badly named")
        await tui.press("C-r")
        await tui.shows("Rename Session")
        await tui.press("C-e", "C-u")
        await tui.say("Well named")
        await tui.shows_no("Rename Session")
    renamed = await world.ask_server("GET", f"/session/{session['id']}")
    expect(renamed["title"] == "Well named", renamed)


@check("session-delete", "a session deleted in the list is gone")
async def deletes_a_session(world: World) -> None:
    await world.ask_server("POST", "/session", {"title": "Soon gone"})
    async with world.tui() as tui:
        await tui.press(*SESSIONS)
        await tui.write("Soon gone")
        await tui.shows(r"Soon gone[\s\S]*Soon gone")
        await tui.press("C-d", "C-d")
        await tui.shows("No results found")
    titles = [session["title"] for session in await world.ask_server("GET", "/session")]
    expect("Soon gone" not in titles, titles)


@check("outside", "what another client changes is shown at once: a prompt, its answer and a new title")
async def shows_changes_from_outside(world: World) -> None:
    session = await world.ask_server("POST", "/session", {"title": "Seen by two"})
    path = f"/session/{session['id']}"
    world.expect("from elsewhere", "An answer for all.")
    async with world.tui("--session", session["id"]) as tui:
        await tui.shows("Seen by two")
        await world.ask_server("POST", f"{path}/message", {"parts": [{"type": "text", "text": "from elsewhere"}]})
        await tui.shows("from elsewhere", "An answer for all.", FINISHED)
        await world.ask_server("PATCH", path, {"title": "Renamed by another"})
        await tui.shows("Renamed by another")


@check("todo", "the model's list of things to do is shown")
async def shows_todos(world: World) -> None:
    todos = [{"content": "Paint the shed", "status": "in_progress", "priority": "high"}]
    world.expect("plan it", turn(Call("todowrite", {"todos": todos})), "Planned.")
    async with world.tui() as tui:
        await tui.say("plan it")
        await tui.shows("Planned.", r"\[•\] Paint the shed", FINISHED)


TUI_CHECKS: Final = [found for found in vars().values() if isinstance(found, Check)]
