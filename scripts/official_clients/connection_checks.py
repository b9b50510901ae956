"""How the official terminal interface reaches a server: directories, passwords, a server that was gone for a while."""

import re
from typing import Final

import anyio

from scripts.official_clients.check import Check, check, expect
from scripts.official_clients.conversation_checks import FINISHED
from scripts.official_clients.terminal import Terminal
from scripts.official_clients.world import World
from tests.support.scripted_model.script import Call, turn

PASSWORD: Final = "open sesame"
RECONNECT_SECONDS: Final = 30


@check("directory", "attach --dir works in another directory of the server's machine, whatever its name")
async def attaches_to_a_directory(world: World) -> None:
    elsewhere = world.setting.directory / "straße 50% & more"
    elsewhere.mkdir()
    (elsewhere / "opencode.json").write_text((world.project / "opencode.json").read_text())
    async with world.tui("--dir", str(elsewhere)) as tui:
        await tui.shows(re.escape(elsewhere.name))
        await tui.press("!")
        await tui.say("pwd")
        await tui.shows(f"┃ +{re.escape(str(elsewhere))}")
        await tui.say("hello there")
        await tui.shows(r"OK\.", FINISHED)


@check("password", "with the password everything works; without it the client is refused", since="1.18")
async def logs_in(world: World) -> None:
    home = world.setting.new_home("guarded", OPENCODE_SERVER_PASSWORD=PASSWORD)
    async with world.another_server(home) as guarded:
        async with guarded.tui("--password", PASSWORD) as tui:
            await tui.say("let me in")
            await tui.shows(r"OK\.", FINISHED)
        async with guarded.tui("--password", "wrong", first="Authentication required|401"):
            pass


async def connected_again(tui: Terminal, world: World) -> None:
    """Wait until the client shows what happens on the server: it listens again. Raises ``TimeoutError``."""
    session = (await world.request("GET", "/session"))[0]
    with anyio.fail_after(RECONNECT_SECONDS):
        while "Back again" not in await tui.screen():
            await world.request("PATCH", f"/session/{session['id']}", {"title": "Back again"})
            await anyio.sleep(0.5)


@check("restart", "after a crash and a restart of the server the open client goes on")
async def survives_a_restart(world: World) -> None:
    home = world.setting.new_home("mortal")
    world.expect("before the crash", "The first answer.")
    world.expect("after the crash", "The second answer.")
    async with world.another_server(home) as mortal, mortal.tui() as tui:
        await tui.say("before the crash")
        await tui.shows(r"The first answer\.", FINISHED)
        await mortal.server.kill()
        port = mortal.server.url.rpartition(":")[2]
        async with world.another_server(home, "--port", port) as revived:
            await connected_again(tui, revived)
            await tui.say("after the crash")
            await tui.shows(r"The first answer\.", r"The second answer\.", FINISHED, seconds=40)


@check("mini", "attach --mini: a prompt, a permission and the answer", since="1.18")
async def works_in_mini(world: World) -> None:
    world.expect("a small one", turn(Call("bash", {"command": "echo sm''all", "description": "Echo"})), "Small.")
    async with world.tui("--mini") as tui:
        await tui.say("a small one")
        await tui.asks("Permission required")
        await tui.press("Enter")
        await tui.shows("small", r"Small\.", "▣ Build")


@check("log", "after all of this the server has logged no error of its own")
async def logged_no_error(world: World) -> None:
    logs = [path.read_text() for path in (world.home.data / "log").glob("*.log")]
    errors = [line for log in logs for line in log.splitlines() if line.startswith("ERROR")]
    expect(bool(logs) and not errors, errors)


CONNECTION_CHECKS: Final = [found for found in vars().values() if isinstance(found, Check)]
