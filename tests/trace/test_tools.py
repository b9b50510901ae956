"""Tool calls: what the model asks for, what happens, what it is told."""

from typing import Any

from tests.support.scripted_model.script import Call, Turn, turn
from tests.trace.scenario import scenario
from tests.trace.world import World


def calls(*made: tuple[str, dict[str, Any]]) -> tuple[Turn, ...]:
    """One turn for each call, then a turn of text."""
    turns = [turn(Call(name, given, id=f"call_{n}")) for n, (name, given) in enumerate(made, start=1)]
    return (*turns, turn("Done."))


@scenario(
    *calls(
        ("read", {"filePath": "a.txt"}),
        ("read", {"filePath": "src/main.py", "offset": 2, "limit": 1}),
        ("read", {"filePath": "src"}),
        ("read", {"filePath": "gone.txt"}),
        ("read", {"filePath": "empty.txt"}),
        ("read", {"filePath": "a.txt", "offset": 50}),
        ("read", {"filePath": "deep/inside.txt"}),
    ),
    files={"empty.txt": "", "deep/AGENTS.md": "Be brief in here.\n", "deep/inside.txt": "inside\n"},
)
async def test_files_are_read_whole_in_part_and_not_at_all(world: World) -> None:
    """A file below a folder with instructions brings them along."""
    await world.prompt(await world.session(), "Read")


@scenario(
    *calls(
        ("glob", {"pattern": "**/*.py"}),
        ("glob", {"pattern": "*.none"}),
        ("glob", {"pattern": "*.py", "path": "src"}),
        ("grep", {"pattern": "hi"}),
        ("grep", {"pattern": "nowhere to be found"}),
        ("grep", {"pattern": "def (\\w+)", "include": "*.py"}),
        ("grep", {"pattern": "(unclosed"}),
    )
)
async def test_names_and_contents_are_searched(world: World) -> None:
    await world.prompt(await world.session(), "Search")


@scenario(
    *calls(
        ("write", {"filePath": "new/file.txt", "content": "one\ntwo\nthree\n"}),
        ("read", {"filePath": "a.txt"}),
        ("write", {"filePath": "a.txt", "content": "alpha\nBETA\ngamma\n"}),
        ("edit", {"filePath": "new/file.txt", "oldString": "two", "newString": "2"}),
        ("edit", {"filePath": "new/file.txt", "oldString": "absent", "newString": "x"}),
        ("edit", {"filePath": "new/file.txt", "oldString": "e", "newString": "E"}),
        ("edit", {"filePath": "new/file.txt", "oldString": "e", "newString": "E", "replaceAll": True}),
        ("edit", {"filePath": "new/file.txt", "oldString": "onE", "newString": "onE"}),
        ("edit", {"filePath": "made.txt", "oldString": "", "newString": "made by edit\n"}),
        ("edit", {"filePath": "gone.txt", "oldString": "a", "newString": "b"}),
        ("write", {"filePath": "src/main.py", "content": "never read\n"}),
    )
)
async def test_files_are_written_and_edited(world: World) -> None:
    await world.prompt(await world.session(), "Change")
    changed = {name: (world.directory / name).read_text() for name in ("a.txt", "new/file.txt", "made.txt")}
    assert changed == {
        "a.txt": "alpha\nBETA\ngamma\n",
        "new/file.txt": "onE\n2\nthrEE\n",
        "made.txt": "made by edit\n",
    }


@scenario(
    *calls(
        ("bash", {"command": "echo out; echo err >&2", "description": "Both"}),
        ("bash", {"command": "exit 3", "description": "Fails"}),
        ("bash", {"command": "pwd; ls", "description": "Elsewhere", "workdir": "src"}),
        ("bash", {"command": "sleep 5; echo late", "description": "Slow", "timeout": 100}),
        ("bash", {"command": "true", "description": "Silent"}),
        ("bash", {"command": "read line; echo got:$line", "description": "Reads"}),
        ("bash", {"command": "echo x", "description": "Odd", "timeout": -5}),
    )
)
async def test_commands_run_with_their_output_status_and_limits(world: World) -> None:
    await world.prompt(await world.session(), "Run")


@scenario(
    turn(
        "Both at once.",
        Call("read", {"filePath": "a.txt"}, id="call_1"),
        Call("bash", {"command": "sleep 0.3; echo second", "description": "Slower"}, id="call_2"),
    ),
    "Done.",
)
async def test_calls_of_one_answer_run_side_by_side(world: World) -> None:
    await world.prompt(await world.session(), "Both")


@scenario(
    *calls(
        ("todowrite", {"todos": [{"content": "one", "status": "in_progress", "priority": "high"}]}),
        ("todowrite", {"todos": [{"content": "one", "status": "completed", "priority": "high"}]}),
    )
)
async def test_a_list_of_tasks_is_kept(world: World) -> None:
    session = await world.session()
    await world.prompt(session, "Plan")
    await world.get(f"/session/{session}/todo")


PATCH = """*** Begin Patch
*** Add File: added.txt
+brand new
*** Update File: a.txt
@@
 alpha
-beta
+BETA
 gamma
*** Delete File: src/main.py
*** End Patch"""
UNFIT = PATCH.replace("-beta", "-not there")


@scenario(
    *calls(
        ("apply_patch", {"patchText": PATCH}),
        ("apply_patch", {"patchText": UNFIT}),
        ("apply_patch", {"patchText": "nonsense"}),
    ),
    config={"provider": {"scripted": {"models": {"gpt-5-like": {"name": "G", "tool_call": True}}}}},
    shows=["tools"],
)
async def test_models_that_prefer_patches_are_given_them(world: World) -> None:
    model = {"providerID": "scripted", "modelID": "gpt-5-like"}
    await world.prompt(await world.session(), "Patch", model=model)


@scenario(
    turn(Call("no_such_tool", {"x": 1}, id="call_1")),
    turn(Call("read", raw='{"filePath": ', id="call_2")),
    turn(Call("read", {"wrong": "a.txt"}, id="call_3")),
    turn(Call("read", {"filePath": 5}, id="call_4")),
    turn(Call("Read", {"filePath": "a.txt"}, id="call_5")),
    turn(Call("bash", raw="[]", id="call_6")),
    "Done.",
)
async def test_calls_that_cannot_be_are_told_to_the_model(world: World) -> None:
    """An unknown tool, broken JSON, wrong arguments; a name in the wrong case is understood."""
    await world.prompt(await world.session(), "Go wrong")


@scenario(
    turn(
        Call("read", {"filePath": "a.txt"}, id="call_same"),
        Call("read", {"filePath": "src/main.py"}, id="call_same"),
    ),
    "Done.",
)
async def test_calls_with_the_same_id_are_kept_apart(world: World) -> None:
    await world.prompt(await world.session(), "Twice")


SAME = {"filePath": "a.txt"}


@scenario(
    turn(Call("read", SAME, id="call_1")),
    turn(Call("read", SAME, id="call_2")),
    turn(Call("read", SAME, id="call_3")),
    turn(*(Call("read", SAME, id=f"call_{n}") for n in (4, 5, 6))),
    "Done.",
)
async def test_the_third_same_call_of_an_answer_asks_a_person(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Loop")
    await world.reply(await world.asked(), "once")
    await prompt.answered.wait()


@scenario(turn(*(Call("read", SAME, id=f"call_{n}") for n in (1, 2, 3))), "Never said.")
async def test_a_person_can_end_a_loop_of_calls(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Loop")
    await world.reply(await world.asked(), "reject")
    await prompt.answered.wait()


@scenario(
    *calls(
        ("read", {"filePath": "/etc/hostname"}),
        ("bash", {"command": "cat /etc/hostname", "description": "Look outside"}),
        ("read", {"filePath": ".env"}),
    ),
    files={".env": "KEY=1\n"},
)
async def test_what_lies_outside_and_secrets_are_asked_for(world: World) -> None:
    session = await world.session()
    prompt = world.prompting(session, "Peek")
    for count in (1, 2, 3):
        await world.reply(await world.asked(count=count), "reject", "stay inside")
    await prompt.answered.wait()
