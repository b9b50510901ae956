"""The official ``opencode run --attach`` on our server."""

import json
from subprocess import CompletedProcess
from typing import Any, Final

from scripts.official_clients.check import Check, check, expect
from scripts.official_clients.world import World
from tests.support.scripted_model.script import Call, Fail, Reasoning, Text, turn


def answered(done: CompletedProcess[str], *texts: str) -> None:
    """Raises unless the program ended well and printed these texts."""
    expect(done.returncode == 0 and all(text in done.stdout + done.stderr for text in texts), done)


def printed_events(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@check("run", "prints the tool calls and the answer, and ends")
async def runs(world: World) -> None:
    world.expect("run reads", turn(Call("read", {"filePath": str(world.project / "greeting.py")})), "It greets.")
    done = await world.run("run reads")
    answered(done, "It greets.", "greeting.py")


@check("run-json", "--format json prints the steps, the tool call and the text as events")
async def prints_json(world: World) -> None:
    world.expect("run json", turn(Call("read", {"filePath": str(world.project / "greeting.py")})), "It greets.")
    done = await world.run("--format", "json", "run json")
    events = printed_events(done)
    kinds = [event["type"] for event in events]
    expect(kinds == ["step_start", "tool_use", "step_finish", "step_start", "text", "step_finish"], done)
    expect(len({event["sessionID"] for event in events}) == 1, done)
    expect(events[4]["part"]["text"] == "It greets.", events[4])


@check("run-permission", "a permission is rejected by the client, which says so and ends")
async def rejects_permissions(world: World) -> None:
    path = world.project / "run-forbidden"
    world.expect("run touch", turn(Call("bash", {"command": f"touch {path}", "description": "Make"})), "Never said.")
    done = await world.run("run touch")
    answered(done, "permission requested: bash", "auto-rejecting")
    expect("Never said." not in done.stdout and not path.exists(), done)


@check("run-stdin", "what is piped in is part of the prompt")
async def reads_stdin(world: World) -> None:
    world.expect("piped text", "It was piped.")
    answered(await world.run("what is this", stdin="piped text\n"), "It was piped.")


@check("run-file", "an attached file reaches the model")
async def attaches_a_file(world: World) -> None:
    path = world.setting.directory / "attached.txt"
    path.write_text("the attached words\n")
    world.expect("the attached words", "It was attached.")
    answered(await world.run("look at this", "--file", str(path)), "It was attached.")


@check("run-continue", "--continue goes on with the newest session")
async def continues(world: World) -> None:
    world.expect("remember the word plum", "Remembered.")
    first = printed_events(await world.run("--format", "json", "remember the word plum"))
    world.expect("which word", "Plum.")
    done = await world.run("--format", "json", "--continue", "which word")
    events = printed_events(done)
    expect(done.returncode == 0 and events[0]["sessionID"] == first[0]["sessionID"], done)
    expect(
        any(b"remember the word plum" in asked.raw and b"which word" in asked.raw for asked in world.model.turns), done
    )


@check("run-session", "--session goes on with that session")
async def continues_a_session(world: World) -> None:
    session = await world.request("POST", "/session", {"title": "Chosen"})
    await world.request("POST", "/session", {"title": "Newer"})
    done = await world.run("--format", "json", "--session", session["id"], "in the chosen one")
    expect({event["sessionID"] for event in printed_events(done)} == {session["id"]}, done)


@check("run-fork", "--fork goes on in a copy of the session", since="1.18")
async def continues_in_a_copy(world: World) -> None:
    session = await world.request("POST", "/session", {"title": "Copied"})
    events = printed_events(await world.run("--format", "json", "--session", session["id"], "--fork", "in the copy"))
    expect(bool(events) and events[0]["sessionID"] != session["id"], events)
    expect(await world.request("GET", f"/session/{session['id']}/message") == [], "the session was changed")


@check("run-command", "--command runs a command of the project with its arguments")
async def runs_a_command(world: World) -> None:
    world.expect("Greet Grace", "Salve, Grace.")
    answered(await world.run("--command", "greet", "Grace"), "Salve, Grace.")


@check("run-unknown-session", "--session with an unknown id ends with exit code 1", since="1.18")
async def refuses_an_unknown_session(world: World) -> None:
    done = await world.run("--session", "ses_000000000000AAAAAAAAAAAAAA", "hello there")
    expect(done.returncode == 1 and "not found" in (done.stdout + done.stderr).lower(), done)


@check("run-model-agent", "--model and --agent are what the server runs", since="1.18")
async def chooses_model_and_agent(world: World) -> None:
    world.expect("plan this", "Planned.")
    done = await world.run("--format", "json", "--model", "scripted/m1", "--agent", "plan", "plan this")
    expect(done.returncode == 0, done)
    session = printed_events(done)[0]["sessionID"]
    infos = [message["info"] for message in await world.request("GET", f"/session/{session}/message")]
    expect({info["agent"] for info in infos} == {"plan"}, infos)


@check("run-dir", "--dir works in another directory of the server's machine")
async def works_elsewhere(world: World) -> None:
    elsewhere = world.setting.directory / "else where"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "opencode.json").write_text((world.project / "opencode.json").read_text())
    done = await world.run("--dir", str(elsewhere), "--format", "json", "over there")
    session = await world.request("GET", f"/session/{printed_events(done)[0]['sessionID']}")
    expect(session["directory"] == str(elsewhere), session)


@check("run-auto", "--auto allows what is asked", since="1.18")
async def allows_automatically(world: World) -> None:
    world.expect("run freely", turn(Call("bash", {"command": "echo fr''ee", "description": "Echo"})), "Allowed.")
    answered(await world.run("--auto", "run freely"), "free", "Allowed.")


@check("run-thinking", "--thinking prints what the model thinks")
async def prints_thinking(world: World) -> None:
    world.expect("think aloud", turn(Reasoning("Pondering."), Text("Pondered.")))
    answered(await world.run("--thinking", "think aloud"), "Pondering.", "Pondered.")


@check("run-model-error", "a refusal of the model's provider is printed")
async def prints_a_model_error(world: World) -> None:
    world.expect("be turned down", turn(Fail(400, "the scripted refusal")))
    done = await world.run("be turned down")
    expect("the scripted refusal" in done.stdout + done.stderr, done)


RUN_CHECKS: Final = [found for found in vars().values() if isinstance(found, Check)]
