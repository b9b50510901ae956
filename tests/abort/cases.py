"""What a session may be doing when it is aborted. A case gets it there."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from tests.abort.commands import COMMANDS, SLEEP, STUBBORN, Hostile
from tests.abort.watch import Processes
from tests.support.scripted_model.script import Call, Fail, Op, Reasoning, Turn, Wait, turn
from tests.trace.world import World, is_delta, is_retry
from tests.wire.delegating import begins, delegates

Json = dict[str, Any]
Begin = Callable[["Scene"], Awaitable[None]]
DEEP = {"agent": {"middle": {"mode": "subagent", "permission": {"task": "allow"}}}, "subagent_depth": 3}
DAEMON = COMMANDS["a stubborn daemon that forked twice"]


@dataclass
class Scene:
    """A session on a server, and the processes it may start."""

    world: World
    session: str
    processes: Processes

    def prompt(self) -> None:
        """Begin a turn whose answer is not waited for."""
        self.world.prompting(self.session, "Begin")

    async def runs(self, *calls: Call, processes: int) -> None:
        """Begin a turn that makes these calls, and wait until their processes run."""
        self.world.model.push(turn(*calls))
        self.prompt()
        await self.processes.started(processes)


@dataclass(frozen=True)
class Case:
    """``begin`` returns when the session is at the point. ``levels``: sessions above one another that work."""

    begin: Begin
    config: Mapping[str, Any] = field(default_factory=dict)
    levels: int = 1

    @property
    def limit_seconds(self) -> float:
        """Within what everything is gone."""
        return 2.0 if self.levels > 1 else 1.0


# --- tools ------------------------------------------------------------------------------------------------------------


async def tool(hostile: Hostile, scene: Scene) -> None:
    await scene.runs(bash(hostile), processes=hostile.processes)


async def three_calls_at_once(scene: Scene) -> None:
    calls = [bash(Hostile(command), id=f"call_{n}") for n, command in enumerate((SLEEP, STUBBORN, DAEMON.command))]
    await scene.runs(*calls, processes=4)


async def second_call_while_first_has_ended(scene: Scene) -> None:
    scene.world.model.push(turn(Call("bash", {"command": "echo first"}, id="call_0")))
    await tool(DAEMON, scene)


async def page_that_never_comes(scene: Scene) -> None:
    """The model's own server gives the page: it begins, and does not end."""
    reached, script = anyio.Event(), scene.world.model
    call = Call("webfetch", {"url": f"{script.url}/chat/completions", "format": "text"})
    script.push(turn(call), turn(Wait(anyio.Event(), reached)))
    scene.prompt()
    await reached.wait()


# --- the person's own commands ----------------------------------------------------------------------------------------


async def shell(hostile: Hostile, scene: Scene) -> None:
    scene.world.start("POST", f"/session/{scene.session}/shell", {"agent": "build", "command": hostile.command})
    await scene.processes.started(hostile.processes)


async def shell_with_a_prompt_behind(scene: Scene) -> None:
    await shell(DAEMON, scene)
    scene.prompt()
    await scene.world.stored_prompts(scene.session, 2)


async def insertion(hostile: Hostile, scene: Scene) -> None:
    scene.world.start("POST", f"/session/{scene.session}/command", {"command": "slow", "arguments": ""})
    await scene.processes.started(hostile.processes)


# --- the model --------------------------------------------------------------------------------------------------------


async def model(*ops: Op | str, scene: Scene) -> None:
    """The answer came to its end, and then nothing more."""
    reached = anyio.Event()
    scene.world.model.push(turn(*ops, Wait(anyio.Event(), reached)))
    scene.prompt()
    await reached.wait()
    if ops:
        await scene.world.until(is_delta)


async def retry(scene: Scene) -> None:
    scene.world.model.push(turn(Fail(429, "slow down", {"retry-after": "600"})))
    scene.prompt()
    await scene.world.until(is_retry)


async def permission(scene: Scene) -> None:
    scene.world.model.push(turn(Call("bash", {"command": "echo x"}), Call("bash", {"command": "echo y"}, id="call_2")))
    scene.prompt()
    await scene.world.asked(count=2)


async def question(scene: Scene) -> None:
    asked = {"questions": [{"question": "Who?", "header": "Who", "options": []}]}
    scene.world.model.push(turn(Call("question", asked)))
    scene.prompt()
    await scene.world.asked("question")


async def compaction(scene: Scene) -> None:
    await scene.world.prompt(scene.session, "Something to condense")
    reached = anyio.Event()
    scene.world.model.push(turn("The story so far", Wait(anyio.Event(), reached)))
    body = {"providerID": "scripted", "modelID": "m1"}
    scene.world.start("POST", f"/session/{scene.session}/summarize", body)
    await reached.wait()


async def at_once(scene: Scene) -> None:
    """Before anything has begun."""
    scene.world.model.push(turn("Never read.", Wait(anyio.Event())))
    body = {"parts": [{"type": "text", "text": "Begin"}]}
    await scene.world.send("POST", f"/session/{scene.session}/prompt_async", body)


async def queue(scene: Scene) -> None:
    await model("Slowly", scene=scene)
    scene.prompt()
    scene.prompt()
    await scene.world.stored_prompts(scene.session, 3)


async def nothing(scene: Scene) -> None:
    """An idle session."""


async def aborted_by_others_too(scene: Scene) -> None:
    await tool(DAEMON, scene)
    for _ in range(3):
        scene.world.start("POST", f"/session/{scene.session}/abort")


# --- subagents --------------------------------------------------------------------------------------------------------


async def subagents(levels: int, last: Turn, processes: int, scene: Scene) -> None:
    """Sessions above one another; the lowest gives the last answer, which starts processes."""
    script = scene.world.model
    script.push(delegates("level 1", "middle" if levels > 1 else "general"))
    for level in range(1, levels):
        script.push_for(begins(f"level {level}"), delegates(f"level {level + 1}", "middle"))
    script.push_for(begins(f"level {levels}"), last)
    scene.prompt()
    await scene.processes.started(processes)


async def subagent_waits_for_its_model(scene: Scene) -> None:
    reached = anyio.Event()
    scene.world.model.push(delegates("level 1"))
    scene.world.model.push_for(begins("level 1"), turn("Slowly", Wait(anyio.Event(), reached)))
    scene.prompt()
    await reached.wait()


async def subagent_asks(scene: Scene) -> None:
    scene.world.model.push(delegates("level 1"))
    scene.world.model.push_for(begins("level 1"), turn(Call("bash", {"command": "echo x"})))
    scene.prompt()
    await scene.world.asked()


async def subagent_waits_to_try_again(scene: Scene) -> None:
    scene.world.model.push(delegates("level 1"))
    scene.world.model.push_for(begins("level 1"), turn(Fail(503, "overloaded", {"retry-after": "600"})))
    scene.prompt()
    await scene.world.until(is_retry)


async def three_subagents(scene: Scene) -> None:
    calls = [delegates(f"place {n}", id=f"call_{n}").ops[0] for n in range(3)]
    for n in range(3):
        scene.world.model.push_for(begins(f"place {n}"), turn(bash(DAEMON)))
    scene.world.model.push(turn(*calls))
    scene.prompt()
    await scene.processes.started(6)


async def subtask(scene: Scene) -> None:
    scene.world.model.push_for(begins("level 1"), turn(bash(DAEMON)))
    part = {"type": "subtask", "prompt": "level 1", "description": "Look", "agent": "general"}
    scene.world.start("POST", f"/session/{scene.session}/message", {"parts": [part]})
    await scene.processes.started(DAEMON.processes)


def bash(hostile: Hostile, id: str = "call_1") -> Call:
    """The model's call."""
    return Call("bash", {"command": hostile.command}, id=id)


def slow_command(hostile: Hostile) -> Json:
    """Configuration with a slash command whose template runs that."""
    return {"command": {"slow": {"template": f"Look: !`{hostile.command}`"}}}


LAST = turn(bash(DAEMON))
IN_SHELL = ("a command that sleeps", "a stubborn daemon that forked twice", "a stubborn flood on both streams",
            "a command that stopped itself", "closed standard streams in a session of its own")  # fmt: skip

CASES: dict[str, Case] = {
    **{name: Case(partial(tool, hostile)) for name, hostile in COMMANDS.items()},
    "three calls at once": Case(three_calls_at_once),
    "a call after one that has ended": Case(second_call_while_first_has_ended),
    "a page that never comes": Case(page_that_never_comes),
    **{f"shell: {name}": Case(partial(shell, COMMANDS[name])) for name in IN_SHELL},
    "shell: a prompt waits for its end": Case(shell_with_a_prompt_behind),
    "template: a command that sleeps": Case(partial(insertion, Hostile(SLEEP)), slow_command(Hostile(SLEEP))),
    "template: a stubborn daemon": Case(
        partial(insertion, Hostile("sh daemon.sh", 2)), slow_command(Hostile("sh daemon.sh", 2))
    ),
    "the model thinks": Case(lambda scene: model(Reasoning("Well"), scene=scene)),
    "the model speaks": Case(lambda scene: model("Once upon", scene=scene)),
    "the model says nothing": Case(lambda scene: model(scene=scene)),
    "a call is half written": Case(lambda scene: model("So:", Call("bash", raw='{"comm'), scene=scene)),
    "a wait before another try": Case(retry),
    "two requests for permission": Case(permission, {"permission": "ask"}),
    "a question": Case(question),
    "a compaction": Case(compaction),
    "a prompt that has not begun": Case(at_once),
    "three prompts": Case(queue),
    "nothing": Case(nothing),
    "four aborts at once": Case(aborted_by_others_too),
    "a subagent that runs a daemon": Case(partial(subagents, 1, LAST, 2), levels=2),
    "a subagent of a subagent": Case(partial(subagents, 2, LAST, 2), DEEP, levels=3),
    "three levels of subagents": Case(partial(subagents, 3, LAST, 2), DEEP, levels=4),
    "three levels, and a flood": Case(
        partial(subagents, 3, turn(bash(COMMANDS["a stubborn flood on both streams"])), 1), DEEP, levels=4
    ),
    "three subagents side by side": Case(three_subagents, levels=2),
    "a subtask of the person": Case(subtask, levels=2),
    "a subagent whose model is slow": Case(subagent_waits_for_its_model, levels=2),
    "a subagent that asks": Case(subagent_asks, {"permission": {"bash": "ask"}}, levels=2),
    "a subagent that waits to try again": Case(subagent_waits_to_try_again, levels=2),
}
