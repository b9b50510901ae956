"""Plan mode with files: the planner writes a plan and hands it over to the builder."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.question.schema import QuestionAsked
from tests.support.scripted_model.script import Call, turn
from tests.wire.delegating import Json, Script, scripted


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "OPENCODE_EXPERIMENTAL_PLAN_MODE": "1"}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


async def plan_path(script: Script, session: str) -> str:
    record = await script.get(f"/session/{session}")
    return f".opencode/plans/{record['time']['created']}-{record['slug']}.md"


def texts(message: Json) -> list[str]:
    return [part["text"] for part in message["parts"] if part["type"] == "text"]


def tools(request: Any) -> set[str]:
    return {tool["function"]["name"] for tool in request.body["tools"]}


async def test_planning_begins_and_ends_with_a_stored_reminder(script: Script, project: Path) -> None:
    script.model.push("A plan.", "More.", "Built.", "And more.")
    session = await script.session()
    for text, agent in (("Plan", "plan"), ("More", "plan"), ("Build", "build"), ("Go on", "build")):
        await script.prompt(session, text, agent=agent)
    path = project / await plan_path(script, session)
    planned, more, built, on = [m for m in await script.messages(session) if m["info"]["role"] == "user"]
    assert [len(texts(m)) for m in (planned, more, built, on)] == [2, 1, 2, 1]
    begun, ended = planned["parts"][1], built["parts"][1]
    assert begun["synthetic"] and ended["synthetic"]
    assert f"Your plan file is {path}. It does not exist yet" in begun["text"]
    assert "call `plan_exit`" in begun["text"]
    assert str(path) not in ended["text"]
    assert path.parent.is_dir()


async def test_the_planner_can_change_its_plan_and_nothing_else(script: Script, project: Path) -> None:
    session = await script.session()
    path = await plan_path(script, session)
    script.model.push(
        turn(
            Call("write", {"filePath": str(project / path), "content": "# Plan\n"}, id="call_1"),
            Call("write", {"filePath": str(project / "other.md"), "content": "no"}, id="call_2"),
        ),
        "Written.",
        "Built.",
    )
    await script.prompt(session, "Plan", agent="plan")
    written, refused = await script.calls(session)
    assert (written["status"], refused["status"]) == ("completed", "error")
    assert not (project / "other.md").exists()
    await script.prompt(session, "Build", agent="build")
    [*_, built, _] = await script.messages(session)
    assert texts(built)[1].endswith(f"There is a plan in {project / path}: carry it out.")


async def test_an_approved_plan_goes_to_the_builder(script: Script) -> None:
    script.model.push(turn(Call("plan_exit")), "Building.")
    session = await script.session()
    path = await plan_path(script, session)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_when_asked, script, "Yes")
        answer = await script.prompt(session, "Plan", agent="plan", model={"providerID": "scripted", "modelID": "m2"})
    [asked] = script.heard(QuestionAsked)
    [question] = asked.questions
    assert (question.header, question.custom) == ("Build Agent", False)
    assert [option.label for option in question.options] == ["Yes", "No"]
    assert question.question.startswith(f"The plan in {path} is complete.")
    assert (answer["info"]["agent"], texts(answer)) == ("build", ["Building."])
    [state] = await script.calls(session)
    assert (state["status"], state["title"], state["metadata"]) == (
        "completed",
        "Switching to build agent",
        {"truncated": False},
    )
    [_, planned, approved, built] = await script.messages(session)
    assert (approved["info"]["agent"], approved["info"]["model"]) == (
        "build",
        {"providerID": "scripted", "modelID": "m2"},
    )
    assert approved["parts"][0]["text"].startswith(f"The user has approved the plan in {path}.")
    assert (planned["info"]["finish"], built["info"]["parentID"]) == ("tool-calls", approved["info"]["id"])
    assert ["plan_exit" in tools(request) for request in script.model.turns] == [True, False]


@pytest.mark.parametrize("reply", ["No", "perhaps"])
async def test_a_refused_plan_ends_the_turn(script: Script, reply: str) -> None:
    script.model.push(turn(Call("plan_exit")), "never asked for")
    session = await script.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_when_asked, script, reply)
        await script.prompt(session, "Plan", agent="plan")
    [state] = await script.calls(session)
    assert (state["status"], state["error"]) == ("error", "The user dismissed this question")
    assert len(script.model.turns) == 1
    assert {m["info"]["agent"] for m in await script.messages(session)} == {"plan"}


async def answer_when_asked(script: Script, reply: str) -> None:
    [asked] = await script.until(QuestionAsked)
    await script.client.post(f"/question/{asked.id}/reply", json={"answers": [[reply]]})


async def test_the_tool_is_listed_where_plan_mode_is_on(script: Script) -> None:
    assert (await script.get("/experimental/tool/ids"))[-1] == "plan_exit"


class TestWithAnotherClient:
    """Where the client switches agents itself, the planner does not."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "OPENCODE_CLIENT": "app"}

    async def test_the_planner_says_that_it_is_done(self, script: Script) -> None:
        script.model.push("A plan.")
        session = await script.session()
        await script.prompt(session, "Plan", agent="plan")
        [_, reminder] = texts((await script.messages(session))[0])
        assert ("Your plan file is" in reminder, "plan_exit" in reminder) == (True, False)
        assert "plan_exit" not in await script.get("/experimental/tool/ids")


class TestOutsideARepository:
    """Plans lie in the data directory."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        directory = tmp_path / "project"
        directory.mkdir()
        return directory

    async def test_plans_lie_in_the_data_directory(self, script: Script, shared: Shared) -> None:
        session = await script.session()
        record = await script.get(f"/session/{session}")
        path = shared.paths.data / "plans" / f"{record['time']['created']}-{record['slug']}.md"
        script.model.push(turn(Call("write", {"filePath": str(path), "content": "# Plan\n"})), "Written.")
        await script.prompt(session, "Plan", agent="plan")
        assert path.read_text() == "# Plan\n"


class TestWithoutTheSwitch:
    """Reminders are only said, not stored."""

    @pytest.fixture
    def environ(self, tmp_path: Path) -> dict[str, str]:
        return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}

    async def test_nothing_is_stored_and_the_tool_is_not_there(self, script: Script) -> None:
        script.model.push("A plan.", "Built.")
        session = await script.session()
        await script.prompt(session, "Plan", agent="plan")
        await script.prompt(session, "Build", agent="build")
        assert [texts(message) for message in await script.messages(session)] == [
            ["Plan"],
            ["A plan."],
            ["Build"],
            ["Built."],
        ]
        said = [request.body["messages"][-1]["content"] for request in script.model.turns]
        assert all("<system-reminder>" in str(content) for content in said)
        assert "plan_exit" not in await script.get("/experimental/tool/ids")
