"""Plan mode with files: the stored reminders, the place of a plan, and its approval."""

from pathlib import Path

import pytest

from opencode.core.ids import MessageID, ModelID, ProviderID, SessionID
from opencode.core.wire import replace
from opencode.loop.plan_mode import APPROVED, IN_WORDS, THERE_IS_A_PLAN, WITH_TOOL, PlanMode
from opencode.loop.prompt_text import prompt_text
from opencode.session.changes import DeleteMessage, PutMessage
from opencode.session.errors import SessionNotFound
from opencode.session.schema import (
    CreatedTime,
    MessageWithParts,
    PromptModel,
    TextPart,
    UserMessage,
)
from opencode.tool.tool import ToolError
from tests.support.event_world import NOW
from tests.support.loop_world import ID, LoopWorld
from tests.support.records import assistant_message, user_message

NEWEST = MessageID("msg_f00000000001AAAAAAAAAAAAAA")
MODEL = PromptModel(provider_id=ProviderID("p"), model_id=ModelID("big"), variant="high")


def mode_of(place: LoopWorld, *, has_tool: bool = True) -> PlanMode:
    folder = place.directory / "tree" / "plans"
    return PlanMode(place.store, place.ids, place.clock, folder, place.directory / "tree", has_tool=has_tool)


@pytest.fixture
def mode(place: LoopWorld) -> PlanMode:
    return mode_of(place)


def plan_of(place: LoopWorld) -> Path:
    """Named after the session ``x``, which was created at 1."""
    return place.directory / "tree" / "plans" / "1-x.md"


def conversation(*agents: str) -> list[MessageWithParts]:
    """A prompt, an answer of each agent, and another prompt."""
    answers = [
        MessageWithParts(info=replace(assistant_message(ID, f"msg_2{n}", "msg_1"), agent=agent), parts=[])
        for n, agent in enumerate(agents)
    ]
    first, last = (MessageWithParts(info=user_message(ID, id), parts=[]) for id in ("msg_1", "msg_3"))
    return [first, *answers, last]


async def reminded(place: LoopWorld, mode: PlanMode, agent: str, history: list[MessageWithParts]) -> str | None:
    """The reminder on the newest prompt, which is stored there too; None without one. Nothing else is changed."""
    await place.store.commit(PutMessage(user_message(ID, "msg_3")))
    told = await mode.insert(place.session, history, agent)
    stored = place.store.message(ID, MessageID("msg_3"))
    assert stored is not None
    assert told[:-1] == history[:-1]
    assert told[-1] == replace(history[-1], parts=stored.parts)
    if not stored.parts:
        return None
    [part] = stored.parts
    assert isinstance(part, TextPart)
    assert (part.synthetic, part.session_id, part.message_id) == (True, ID, "msg_3")
    return part.text


async def test_when_planning_begins_the_planner_learns_where_its_plan_goes(place: LoopWorld, mode: PlanMode) -> None:
    text = await reminded(place, mode, "plan", conversation("build"))
    assert text is not None
    assert str(plan_of(place)) in text
    assert "does not exist yet: create it" in text
    assert WITH_TOOL in text
    assert "{" not in text
    assert plan_of(place).parent.is_dir()
    assert not plan_of(place).exists()


async def test_a_plan_that_is_there_already_is_to_be_changed(place: LoopWorld, mode: PlanMode) -> None:
    plan_of(place).parent.mkdir(parents=True)
    plan_of(place).touch()
    text = await reminded(place, mode, "plan", conversation())
    assert text is not None
    assert "exists already: change it step by step" in text


async def test_a_planner_without_the_tool_hands_over_in_words(place: LoopWorld) -> None:
    text = await reminded(place, mode_of(place, has_tool=False), "plan", conversation())
    assert text is not None
    assert IN_WORDS in text
    assert WITH_TOOL not in text


async def test_when_planning_ends_the_builder_is_told_of_the_plan(place: LoopWorld, mode: PlanMode) -> None:
    plan_of(place).parent.mkdir(parents=True)
    plan_of(place).touch()
    there_is = THERE_IS_A_PLAN.format(path=plan_of(place))
    assert await reminded(place, mode, "build", conversation("plan")) == f"{prompt_text('build_switch')}\n{there_is}"


async def test_without_a_plan_the_builder_only_learns_that_planning_is_over(place: LoopWorld, mode: PlanMode) -> None:
    assert await reminded(place, mode, "build", conversation("build", "plan")) == prompt_text("build_switch")


@pytest.mark.parametrize(
    ("agents", "agent"),
    [
        ([], "build"),
        (["build"], "build"),
        (["plan"], "plan"),
        (["plan", "build"], "build"),
        (["build", "plan"], "plan"),
    ],
)
async def test_between_changes_of_the_mode_nobody_is_reminded(
    place: LoopWorld, mode: PlanMode, agents: list[str], agent: str
) -> None:
    assert await reminded(place, mode, agent, conversation(*agents)) is None
    assert not plan_of(place).parent.exists()


async def test_people_see_the_plan_relative_to_the_worktree(place: LoopWorld, mode: PlanMode) -> None:
    assert mode.shown_path(ID) == "plans/1-x.md"
    with pytest.raises(SessionNotFound, match="ses_none"):
        mode.shown_path(SessionID("ses_none"))


async def test_an_approved_plan_is_the_builders_next_prompt(place: LoopWorld, mode: PlanMode) -> None:
    asked = replace(user_message(ID, "msg_3"), agent="plan", model=MODEL, variant="low")
    newest = assistant_message(ID, NEWEST, "msg_3")
    await place.store.commit(PutMessage(asked), PutMessage(newest))
    place.clock.now += 5
    await mode.approve(ID)
    prompt = place.store.history(ID)[-1]
    assert prompt.info == UserMessage(
        id=prompt.info.id,
        session_id=ID,
        time=CreatedTime(created=NOW + 5),
        agent="build",
        model=MODEL,
        variant="low",
    )
    assert prompt.info.id > NEWEST
    [part] = prompt.parts
    assert part == TextPart(
        id=part.id,
        session_id=ID,
        message_id=prompt.info.id,
        text=APPROVED.format(path="plans/1-x.md"),
        synthetic=True,
    )


async def test_where_nobody_asked_for_a_plan_none_is_approved(place: LoopWorld, mode: PlanMode) -> None:
    await place.store.commit(DeleteMessage(ID, MessageID("msg_1")))
    with pytest.raises(ToolError, match="no prompt to go on from"):
        await mode.approve(ID)
    assert [message.info.id for message in place.store.history(ID)] == ["msg_2"]
