"""Undo: files and messages go back to an earlier point, and forward again until the next prompt."""

import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import MessagePartDelta, MessageRemoved, SessionDiff
from opencode.session.sqlite_store import SqliteSessionStore
from tests.support.scripted_model.script import Call, Sleep, Turn, Wait, turn
from tests.wire.delegating import PATIENCE_SECONDS, Script, scripted


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def writes(file: Path, content: str, id: str) -> Turn:
    return turn(Call("write", {"filePath": str(file), "content": content}, id=id))


async def two_turns(script: Script, project: Path) -> str:
    """A session whose first turn wrote ``new.txt``, and whose second one wrote it again, and ``more.txt``."""
    new, more = project / "new.txt", project / "more.txt"
    script.model.push(writes(new, "one\n", "call_1"), "Done.")
    script.model.push(
        turn(
            Call("read", {"filePath": str(new)}, id="call_2"),
            Call("write", {"filePath": str(more), "content": "m\n"}, id="call_3"),
        ),
        writes(new, "two\n", "call_4"),
        "Done again.",
    )
    session = await script.session()
    await script.prompt(session, "First")
    await script.prompt(session, "Second")
    assert (new.read_text(), more.read_text()) == ("two\n", "m\n")
    return session


async def test_steps_tell_which_files_they_changed(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    parts = [part for message in await script.messages(session) for part in message["parts"]]
    patches = [part for part in parts if part["type"] == "patch"]
    assert [patch["files"] for patch in patches] == [
        [str(project / "new.txt")],
        [str(project / "more.txt")],
        [str(project / "new.txt")],
    ]
    trees = {part["snapshot"] for part in parts if part["type"] in {"step-start", "step-finish"}}
    assert len(trees) == 4
    assert {patch["hash"] for patch in patches} < trees


async def test_the_diff_is_that_of_the_session_or_of_one_turn(script: Script, project: Path) -> None:
    session = await two_turns(script, project)

    def told(diffs: list[dict[str, object]]) -> list[tuple[object, ...]]:
        return [(diff["file"], diff["additions"], diff["deletions"], diff["status"]) for diff in diffs]

    assert told(await script.get(f"/session/{session}/diff")) == [
        ("more.txt", 1, 0, "added"),
        ("new.txt", 1, 0, "added"),
    ]
    first, *_ = await script.messages(session)
    assert told(await script.get(f"/session/{session}/diff?messageID={first['info']['id']}")) == [
        ("new.txt", 1, 0, "added")
    ]
    summary = (await script.get(f"/session/{session}"))["summary"]
    assert summary == {"additions": 2, "deletions": 0, "files": 2}


async def test_while_a_revert_is_pending_the_diff_of_the_session_is_what_it_took_back(
    script: Script, project: Path
) -> None:
    """Source: recording ``revert`` of 1.2.15."""
    session = await two_turns(script, project)
    whole = await script.get(f"/session/{session}/diff")
    second = [m["info"]["id"] for m in await script.messages(session) if m["info"]["role"] == "user"][1]
    await script.post(session, "revert", {"messageID": second})
    told = await script.get(f"/session/{session}/diff")
    assert [(diff["file"], diff["status"]) for diff in told] == [("more.txt", "added"), ("new.txt", "modified")]
    assert [diff["file"] for diff in told] == [diff.file for diff in script.heard(SessionDiff)[-1].diff]
    await script.post(session, "unrevert")
    assert await script.get(f"/session/{session}/diff") == whole


async def test_a_revert_takes_files_back_and_an_unrevert_forward_again(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    messages = await script.messages(session)
    second = next(m["info"]["id"] for m in messages if m["parts"][0].get("text") == "Second")
    reverted = await script.post(session, "revert", {"messageID": second})
    assert reverted["revert"]["messageID"] == second
    assert "more.txt" in reverted["revert"]["diff"]
    assert (project / "new.txt").read_text() == "one\n"
    assert not (project / "more.txt").exists()
    assert await script.messages(session) == messages
    assert {diff.file for diff in script.heard(SessionDiff)[-1].diff} == {"more.txt", "new.txt"}

    forward = await script.post(session, "unrevert")
    assert "revert" not in forward
    assert ((project / "new.txt").read_text(), (project / "more.txt").read_text()) == ("two\n", "m\n")


async def test_a_second_revert_goes_further_back_and_forward_to_where_all_began(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    first, second = [m["info"]["id"] for m in await script.messages(session) if m["info"]["role"] == "user"]
    await script.post(session, "revert", {"messageID": second})
    await script.post(session, "revert", {"messageID": first})
    assert not (project / "new.txt").exists()
    await script.post(session, "unrevert")
    assert ((project / "new.txt").read_text(), (project / "more.txt").read_text()) == ("two\n", "m\n")


async def test_the_next_prompt_makes_a_revert_final(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    messages = await script.messages(session)
    at = next(n for n, m in enumerate(messages) if m["parts"][0].get("text") == "Second")
    await script.post(session, "revert", {"messageID": messages[at]["info"]["id"]})
    script.model.push("Something else.")
    await script.prompt(session, "Third")
    assert [event.message_id for event in script.heard(MessageRemoved)] == [m["info"]["id"] for m in messages[at:]]
    left = await script.messages(session)
    assert [m["info"]["id"] for m in left[:at]] == [m["info"]["id"] for m in messages[:at]]
    assert [part["text"] for m in left[at:] for part in m["parts"] if part["type"] == "text"] == [
        "Third",
        "Something else.",
    ]
    assert "revert" not in await script.get(f"/session/{session}")
    assert (project / "new.txt").read_text() == "one\n"


async def test_what_the_user_changed_elsewhere_survives_revert_and_unrevert(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    (project / "hello.txt").write_text("mine\n")
    second = [m["info"]["id"] for m in await script.messages(session) if m["info"]["role"] == "user"][1]
    await script.post(session, "revert", {"messageID": second})
    (project / "later.txt").write_text("mine too\n")
    await script.post(session, "unrevert")
    assert (project / "new.txt").read_text() == "two\n"
    assert (project / "hello.txt").read_text() == "mine\n"
    assert (project / "later.txt").read_text() == "mine too\n"


async def test_an_unknown_point_changes_nothing(script: Script, project: Path) -> None:
    session = await two_turns(script, project)
    before = await script.get(f"/session/{session}")
    assert await script.post(session, "revert", {"messageID": "msg_none"}) == before
    assert (project / "new.txt").read_text() == "two\n"


async def test_a_prompt_that_comes_during_a_revert_waits_for_it(script: Script, project: Path) -> None:
    """It would work on files that are being put back, in a history that is about to go."""
    session = await two_turns(script, project)
    second = [m["info"]["id"] for m in await script.messages(session) if m["info"]["role"] == "user"][1]
    script.model.push(turn(Call("bash", {"command": "cat new.txt"})), "It says one.")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.post, session, "revert", {"messageID": second})
        tasks.start_soon(script.prompt, session, "What does it say?")
    messages = await script.messages(session)
    assert [m["parts"][0]["text"] for m in messages if m["info"]["role"] == "user"] == ["First", "What does it say?"]
    assert (await script.calls(session))[-1]["output"] == "one\n"
    assert "revert" not in await script.get(f"/session/{session}")


@pytest.mark.parametrize(("action", "body"), [("revert", {"messageID": "msg_1"}), ("unrevert", None)])
async def test_a_busy_session_is_neither_taken_back_nor_forward(
    script: Script, project: Path, action: str, body: dict[str, str] | None
) -> None:
    session = await script.session()
    script.model.push(turn("Wait", Sleep(60)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(script.prompt, session, "Wait")
        await script.until(MessagePartDelta)
        refused = await script.post(session, action, body, status=409)
        assert refused["_tag"] == "SessionBusyError"
        await script.post(session, "abort")


async def test_the_snapshots_of_a_pending_revert_are_kept(script: Script, project: Path, shared: Shared) -> None:
    session = await two_turns(script, project)
    instance = await shared.registry.open(str(project))
    store = SqliteSessionStore(shared.database, instance.events, shared.clock, str(project))
    assert store.reverted_trees() == []
    first = (await script.messages(session))[0]["info"]["id"]
    reverted = await script.post(session, "revert", {"messageID": first})
    assert store.reverted_trees() == [reverted["revert"]["snapshot"]]
    await script.post(session, "unrevert")
    assert store.reverted_trees() == []


async def test_what_the_snapshots_take_is_told(script: Script, project: Path) -> None:
    empty = await script.get("/experimental/snapshot")
    assert {**empty, "directory": ""} == {"enabled": True, "directory": "", "bytes": 0, "objects": 0, "snapshots": 0}
    await two_turns(script, project)
    told = await script.get("/experimental/snapshot")
    assert (told["enabled"], told["snapshots"], told["directory"]) == (True, 4, empty["directory"])
    assert told["bytes"] > 0 and told["objects"] > 0 and told["oldest"] > 0


async def until_later(script: Script) -> None:
    """Until the clock shows more than the newest session does."""
    newest = max(session["time"]["updated"] for session in await script.get("/session"))
    with anyio.fail_after(PATIENCE_SECONDS):
        while time.time() * 1000 < newest + 1:
            await anyio.lowlevel.checkpoint()


async def test_steps_and_reverts_put_their_session_first_in_the_list(script: Script) -> None:
    session, other = await script.session(), await script.session()
    gate, reached, answered = anyio.Event(), anyio.Event(), anyio.Event()
    script.model.push(turn(Wait(gate, reached), "Done."))

    async def ask() -> None:
        await script.prompt(session, "First")
        answered.set()

    async def finish() -> None:
        gate.set()
        await answered.wait()

    async def first_after(work: Awaitable[object]) -> str:
        await script.prompt(other, "A note", noReply=True)
        await until_later(script)
        await work
        return str((await script.get("/session"))[0]["id"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await reached.wait()
        assert await first_after(finish()) == session
    message = (await script.messages(session))[0]["info"]["id"]
    assert await first_after(script.post(session, "revert", {"messageID": message})) == session
    assert await first_after(script.post(session, "unrevert")) == session
