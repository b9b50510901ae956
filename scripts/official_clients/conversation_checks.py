"""A conversation in the official terminal interface: prompts, answers, tools, permissions, questions, aborting."""

import re
from typing import Final

import anyio

from scripts.official_clients.check import Check, check, expect
from scripts.official_clients.terminal import Terminal
from scripts.official_clients.world import World
from tests.support.scripted_model.script import Call, Fail, Reasoning, Text, Wait, turn

FINISHED: Final = r"▣ +Build · [Mm]1 · [\d.]+m?s"


def calls_bash(command: str, call_id: str = "call_1") -> Call:
    return Call("bash", {"command": command, "description": "Echo a word"}, id=call_id)


async def rejected(tui: Terminal) -> None:
    await tui.asks("Permission required")
    await tui.press("Right", "Right", "Enter")


async def open_session(tui: Terminal) -> None:
    """A first prompt and its answer: 1.2.15 reads a new session's messages once, and may drop deltas that come then."""
    await tui.say("hello there")
    await tui.shows(r"OK\.", FINISHED)


async def slash(tui: Terminal, command: str, offered: str) -> None:
    """Choose one of the interface's own commands, once it is offered."""
    await tui.press("C-e", "C-u")
    await tui.write(command)
    await tui.asks(offered)
    await tui.press("Enter")


async def interrupt(tui: Terminal) -> None:
    await tui.press("Escape")
    await tui.asks("again to interrupt")
    await tui.press("Escape")
    await tui.shows("interrupted")


@check("start", "the first screen shows the model, the directory and the branch of our server's project")
async def starts(world: World) -> None:
    async with world.tui() as tui:
        await tui.shows(r"Build .*M1 scripted", f"{re.escape(str(world.project))}:\\w+", world.setting.version)


@check("stream", "an answer is shown while it arrives, then the footer with its duration and the token count")
async def streams(world: World) -> None:
    reached, goes_on = anyio.Event(), anyio.Event()
    world.expect("tell me", turn(Text("The first half,", chunks=3), Wait(goes_on, reached), Text(" the second half.")))
    async with world.tui() as tui:
        await open_session(tui)
        await tui.say("tell me")
        await reached.wait()
        screen = await tui.shows("The first half,")
        expect("second half" not in screen and len(re.findall(FINISHED, screen)) == 1, screen)
        goes_on.set()
        await tui.shows("The first half, the second half.", f"{FINISHED}[\\s\\S]*{FINISHED}", "110 tokens")


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
        await tui.shows(r"→ Read .*greeting\.py", r"It prints Hello\.", FINISHED)


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
        await tui.asks("Permission required", "Allow once", "Allow always", "Reject")
        await tui.press("Enter")
        await tui.shows(r"┃ +once\b", "Permission required")
        await tui.press("Enter")
        await tui.shows("Both done.", FINISHED)


@check("permission-always", "Allow always names its pattern, runs the command, and does not ask for it again")
async def allows_always(world: World) -> None:
    world.expect("run always", turn(calls_bash("printf a''a")), turn(calls_bash("printf b''b", "call_2")), "Both done.")
    async with world.tui() as tui:
        await tui.say("run always")
        await tui.asks("Permission required")
        await tui.press("Right", "Enter")
        await tui.asks(r"printf \*", "Confirm")
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
        await tui.asks(r"Which colour\?", "Cobalt", "Umber")
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
        await tui.asks(r"Which one\?")
        await tui.press("Escape")
        await tui.shows_no(r"esc (dismiss|interrupt)")
        expect("This must not be said." not in await tui.screen(), await tui.screen())


@check("abort", "Escape twice stops the answer, and the connection to the model is closed")
async def aborts(world: World) -> None:
    reached, never = anyio.Event(), anyio.Event()
    world.expect("go on for ever", turn("On and on", Wait(never, reached)))
    async with world.tui() as tui:
        await open_session(tui)
        await tui.say("go on for ever")
        await reached.wait()
        await tui.shows("On and on", "interrupt")
        await interrupt(tui)
    request = next(request for request in world.model.turns if b"go on for ever" in request.raw)
    with anyio.fail_after(5):
        await request.ended.wait()
    expect(request.outcome == "left", request.outcome)


@check("abort-command", "Escape twice kills a running command and all it started")
async def aborts_a_command(world: World) -> None:
    path = world.project / "beats"
    beats = f"for n in $(seq 100); do echo beat $n | tee -a {path}; sleep 0.1; done & wait"
    world.expect("start beating", turn(calls_bash(beats)), "This must not be said.")
    async with world.tui() as tui:
        await tui.say("start beating")
        await tui.asks("Permission required")
        await tui.press("Enter")
        await tui.shows("beat 3")
        await interrupt(tui)
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


@check("todo", "the model's list of things to do is shown")
async def shows_todos(world: World) -> None:
    todos = [{"content": "Paint the shed", "status": "in_progress", "priority": "high"}]
    world.expect("plan it", turn(Call("todowrite", {"todos": todos})), "Planned.")
    async with world.tui() as tui:
        await tui.say("plan it")
        await tui.shows("Planned.", r"\[•\] Paint the shed", FINISHED)


@check("reasoning", "what the model thinks is shown, told apart from its answer")
async def shows_reasoning(world: World) -> None:
    world.expect("think first", turn(Reasoning("Considering the matter.", chunks=4), Text("Considered.")))
    async with world.tui() as tui:
        await tui.say("think first")
        await tui.shows(r"(?i)think|thought", r"\n +Considered\.", FINISHED)


@check("edit", "an edit of a file is shown as a diff")
async def shows_a_diff(world: World) -> None:
    path = world.project / "edited.txt"
    path.write_text("one\ntwo\nthree\n")
    edit = Call("edit", {"filePath": str(path), "oldString": "two", "newString": "deux"}, id="call_2")
    world.expect("edit it", turn(Call("read", {"filePath": str(path)})), turn(edit), "Edited.")
    async with world.tui() as tui:
        await tui.say("edit it")
        await tui.shows(r"- two", r"\+ deux", "Edited.", FINISHED)
    expect(path.read_text() == "one\ndeux\nthree\n", path.read_text())


@check("queue", "a prompt sent while the model answers is answered next, in the same session")
async def answers_a_queued_prompt(world: World) -> None:
    reached, goes_on = anyio.Event(), anyio.Event()
    world.expect("and then this", "The second answer.")
    world.expect("first this", turn(Text("The first"), Wait(goes_on, reached), Text(" answer.")))
    async with world.tui() as tui:
        await tui.say("first this")
        await reached.wait()
        await tui.say("and then this")
        await tui.shows("QUEUED")
        goes_on.set()
        await tui.shows(r"The first answer\.", r"The second answer\.", FINISHED)
        await tui.shows_no("QUEUED")


@check("subagent", "a subagent's work is shown in the transcript of who called it, and its answer goes back")
async def calls_a_subagent(world: World) -> None:
    task = {"description": "Look around", "prompt": "explore the yard", "subagent_type": "general"}
    world.expect("explore the yard", "The yard is empty.")
    world.expect("send somebody", turn(Call("task", task)), "Somebody came back.")
    async with world.tui() as tui:
        await tui.say("send somebody")
        await tui.shows("General", "Look around", r"Somebody came back\.", FINISHED)
    last = next(asked.raw for asked in reversed(world.model.turns) if b"send somebody" in asked.raw)
    expect(b"The yard is empty." in last, last)


@check("command", "a command of the project is completed, run with its arguments and answered")
async def runs_a_command(world: World) -> None:
    world.expect("Greet Ada in Latin", "Salve, Ada.")
    async with world.tui() as tui:
        await tui.write("/gre")
        await tui.asks("/greet", "Greet somebody")
        await tui.press("Enter")
        await tui.say("Ada")
        await tui.shows(r"Salve, Ada\.", FINISHED)


@check("compact", "/compact replaces the conversation by its summary, and the next prompt goes on from it")
async def compacts(world: World) -> None:
    world.expect("what was said", "It was said again.")
    world.expect("a long story", "Once upon a time.", "The summary of the story.")
    async with world.tui() as tui:
        await tui.say("a long story")
        await tui.shows(r"Once upon a time\.", FINISHED)
        await slash(tui, "/compact", "Compact|Summarize")
        await tui.shows("Compaction", r"The summary of the story\.")
        await tui.say("what was said")
        await tui.shows(r"It was said again\.", FINISHED)
    last = next(asked.raw for asked in reversed(world.model.turns) if b"what was said" in asked.raw)
    expect(b"The summary of the story." in last and b"Once upon a time." not in last, last)


@check("undo", "/undo takes the last prompt and its changes of files back, /redo brings them again")
async def takes_back(world: World) -> None:
    path = world.project / "undone.txt"
    world.expect("make it", turn(Call("write", {"filePath": str(path), "content": "made\n"})), "It is made.")
    async with world.tui() as tui:
        await tui.say("make it")
        await tui.shows(r"It is made\.", FINISHED)
        await slash(tui, "/undo", "Undo")
        await tui.shows("1 message reverted", "undone.txt")
        await tui.shows_no(r"It is made\.")
        expect(not path.exists(), "the file is still there")
        await slash(tui, "/redo", "Redo")
        await tui.shows(r"It is made\.", FINISHED)
    expect(path.exists() and path.read_text() == "made\n", "the file was not brought back")


CONVERSATION_CHECKS: Final = [found for found in vars().values() if isinstance(found, Check)]
