"""Who answers a prompt, and what is stored of it before anything runs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from opencode.agent.errors import AgentNotFound
from opencode.core.ids import MessageID, ModelID, ProviderID, SessionID
from opencode.core.wire import UNSET, decode
from opencode.permission.schema import PermissionRule
from opencode.provider.schema import ModelRef
from opencode.session.errors import MessageTaken
from opencode.session.inputs import PromptInput
from opencode.session.schema import (
    MessageText,
    MessageWithParts,
    PromptModel,
    SessionErrored,
    SessionModel,
    SessionUpdated,
    SubtaskPart,
    SubtaskPartInput,
    TextPart,
    UnknownError,
    UserMessage,
)
from tests.support.opened_instance import M1, Opened, open_instance_in, said

OTHER = ModelRef(provider_id=ProviderID("elsewhere"), model_id=ModelID("m2"))
AGENTS = {
    "clever": {"mode": "primary", "model": "scripted/m1", "variant": "high"},
    "plain": {"mode": "primary"},
}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async with open_instance_in(tmp_path, agent=AGENTS) as opened:
        yield opened


async def note(opened: Opened, session: SessionID, prompt: PromptInput) -> MessageWithParts:
    """Store a prompt without having it answered."""
    stored = await opened.prompts.prompt(session, prompt)
    return decode(stored, MessageWithParts)


async def admitted(opened: Opened, session: SessionID, **fields: Any) -> UserMessage:
    info = (await note(opened, session, said("x", no_reply=True, **fields))).info
    assert isinstance(info, UserMessage)
    return info


async def test_a_prompt_is_stored_with_all_that_was_said_about_it(opened: Opened) -> None:
    session = await opened.session()
    subtask = SubtaskPartInput(prompt="do it", description="it", agent="general")
    prompt = said("hello", subtask, no_reply=True, agent="plain", model=OTHER, variant="max", system="Be short.")
    message = await note(opened, session, prompt)
    info = message.info
    assert info == UserMessage(
        id=info.id,
        session_id=session,
        time=info.time,
        agent="plain",
        model=PromptModel(provider_id=OTHER.provider_id, model_id=OTHER.model_id, variant="max"),
        variant="max",
        system="Be short.",
    )
    text, task = message.parts
    assert isinstance(text, TextPart)
    assert isinstance(task, SubtaskPart)
    assert (text.text, task.prompt, text.message_id, text.id < task.id) == ("hello", "do it", info.id, True)
    assert await opened.messages(session) == [message]
    assert opened.model.requests == []


async def test_ids_of_prompts_ascend_from_the_newest_message_on(opened: Opened) -> None:
    session = await opened.session()
    far = MessageID("msg_ffffffffffffAAAAAAAAAAAAAA")
    assert (await admitted(opened, session, message_id=far)).id == far
    assert (await admitted(opened, session)).id > far


async def test_without_wishes_the_default_agent_and_model_answer(opened: Opened) -> None:
    message = await admitted(opened, await opened.session())
    assert (message.agent, message.model, message.variant) == (
        "build", PromptModel(provider_id=M1.provider_id, model_id=M1.model_id), UNSET,
    )  # fmt: skip


async def test_the_model_is_the_prompts_else_the_agents_else_the_sessions_last_one(opened: Opened) -> None:
    session = await opened.session()
    first = await admitted(opened, session, agent="plain", model=OTHER)
    again = await admitted(opened, session, agent="plain")
    own = await admitted(opened, session, agent="clever")
    asked = await admitted(opened, session, agent="clever", model=OTHER)
    assert [m.model.model_id for m in (first, again, own, asked)] == ["m2", "m2", "m1", "m2"]


async def test_the_agents_variant_goes_with_the_agents_model_only(opened: Opened) -> None:
    session = await opened.session()
    own = await admitted(opened, session, agent="clever")
    other = await admitted(opened, session, agent="clever", model=OTHER)
    chosen = await admitted(opened, session, agent="clever", variant="low")
    assert [m.variant for m in (own, other, chosen)] == ["high", UNSET, "low"]
    assert [m.model.variant for m in (own, other, chosen)] == ["high", UNSET, "low"]


async def test_the_session_says_who_was_asked_last_and_is_told_of_it_when_that_changes(opened: Opened) -> None:
    session = await opened.session()
    await admitted(opened, session, agent="plain", model=OTHER, variant="max")
    stored = await opened.sessions.get(session)
    assert (stored.agent, stored.model) == (
        "plain",
        SessionModel(id=OTHER.model_id, provider_id=OTHER.provider_id, variant="max"),
    )
    assert len(opened.heard(SessionUpdated)) == 2  # who answers, and when it was last used
    await admitted(opened, session, agent="plain", variant="max")
    assert len(opened.heard(SessionUpdated)) == 3
    await admitted(opened, session, agent="plain")
    changed = (await opened.sessions.get(session)).model
    assert changed == SessionModel(id=OTHER.model_id, provider_id=OTHER.provider_id, variant="default")


async def test_a_session_made_with_a_model_keeps_it_and_means_its_default_variant(opened: Opened) -> None:
    model = SessionModel(id=OTHER.model_id, provider_id=OTHER.provider_id)
    session = await opened.session(model=model, agent="plain")
    assert (await admitted(opened, session, agent="plain")).model.model_id == "m2"
    assert (await opened.sessions.get(session)).model == model


async def test_switched_tools_become_the_rules_of_the_session(opened: Opened) -> None:
    session = await opened.session()
    message = await admitted(opened, session, tools={"bash": False, "read": True})
    assert message.tools == {"bash": False, "read": True}
    rules = [
        PermissionRule(permission="bash", pattern="*", action="deny"),
        PermissionRule(permission="read", pattern="*", action="allow"),
    ]
    assert (await opened.sessions.get(session)).permission == rules
    await admitted(opened, session, tools={})
    assert (await opened.sessions.get(session)).permission == rules


async def test_every_prompt_makes_its_session_the_latest(opened: Opened) -> None:
    session = await opened.session()
    created = (await opened.sessions.get(session)).time.updated
    message = await admitted(opened, session)
    assert (await opened.sessions.get(session)).time.updated >= message.time.created >= created


async def test_a_prompt_sent_again_is_stored_once_and_the_first_one_counts(opened: Opened) -> None:
    session, id = await opened.session(), MessageID("msg_000000000001AAAAAAAAAAAAAA")
    first = await note(opened, session, said("once", message_id=id, no_reply=True))
    again = await note(opened, session, said("twice", message_id=id, no_reply=True, agent="plain"))
    assert again == first
    assert await opened.messages(session) == [first]


async def test_the_id_of_another_sessions_message_is_taken(opened: Opened) -> None:
    one, two = await opened.session(), await opened.session()
    id = MessageID("msg_000000000001AAAAAAAAAAAAAA")
    await admitted(opened, one, message_id=id)
    with pytest.raises(MessageTaken):
        await admitted(opened, two, message_id=id)
    assert await opened.messages(two) == []


@pytest.mark.parametrize(
    "prompt",
    [
        said("x", agent="nobody"),
        said("x", SubtaskPartInput(prompt="do", description="it", agent="nobody")),
    ],
)
async def test_an_agent_that_is_not_there_is_an_error_and_told_to_all(opened: Opened, prompt: PromptInput) -> None:
    session = await opened.session()
    with pytest.raises(AgentNotFound) as raised:
        await opened.prompts.prompt(session, prompt)
    problem = UnknownError(data=MessageText(message=raised.value.message))
    assert opened.heard(SessionErrored) == [SessionErrored(session_id=session, error=problem)]
    assert await opened.messages(session) == []
