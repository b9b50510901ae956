"""Which subtask of a conversation is to be run next."""

from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID
from opencode.core.wire import UNSET, UnsetType
from opencode.loop.subtask import pending_subtask
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessageAbortedError,
    MessagePath,
    MessageText,
    MessageTime,
    MessageWithParts,
    PromptModel,
    SubtaskPart,
    UserMessage,
)

S = SessionID("ses_1")


def asks(id: str, *prompts: str) -> MessageWithParts:
    """A prompt with subtasks."""
    message = MessageID(id)
    user = UserMessage(
        id=message,
        session_id=S,
        time=CreatedTime(created=1),
        agent="build",
        model=PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m")),
    )
    parts = [
        SubtaskPart(id=PartID("prt_1"), session_id=S, message_id=message, prompt=p, description=p, agent="general")
        for p in prompts
    ]
    return MessageWithParts(info=user, parts=list(parts))


def answers(parent: str, finish: str | UnsetType = "tool-calls", *, aborted: bool = False) -> MessageWithParts:
    """A step that answers a prompt."""
    info = AssistantMessage(
        id=MessageID("msg_9"),
        session_id=S,
        parent_id=MessageID(parent),
        mode="build",
        agent="build",
        path=MessagePath(cwd="/", root="/"),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        time=MessageTime(created=1),
        finish=finish,
        error=MessageAbortedError(data=MessageText(message="Aborted")) if aborted else UNSET,
    )
    return MessageWithParts(info=info, parts=[])


def pending(*history: MessageWithParts) -> tuple[str, str] | None:
    subtask = pending_subtask(history)
    return None if subtask is None else (subtask.user.id, subtask.part.prompt)


def test_subtasks_of_a_prompt_come_one_after_the_other() -> None:
    prompt = asks("msg_1", "a", "b")
    assert pending() is None
    assert pending(asks("msg_1")) is None
    assert pending(prompt) == ("msg_1", "a")
    assert pending(prompt, answers("msg_1")) == ("msg_1", "b")
    assert pending(prompt, answers("msg_1"), answers("msg_1")) is None


def test_prompts_that_came_meanwhile_are_taken_in_their_order() -> None:
    history = [asks("msg_1", "a"), asks("msg_2"), asks("msg_3", "c")]
    assert pending(*history) == ("msg_1", "a")
    assert pending(*history, answers("msg_1")) == ("msg_3", "c")
    assert pending(*history, answers("msg_1"), answers("msg_3")) is None


def test_a_subtask_that_comes_while_the_model_works_is_next() -> None:
    assert pending(asks("msg_1"), answers("msg_1"), asks("msg_2", "a")) == ("msg_2", "a")
    assert pending(asks("msg_1"), asks("msg_2", "a"), answers("msg_1")) == ("msg_2", "a")


def test_what_was_stopped_or_answered_is_not_taken_up_again() -> None:
    assert pending(asks("msg_1", "a"), answers("msg_1", UNSET, aborted=True), asks("msg_2")) is None
    assert pending(asks("msg_1", "a"), answers("msg_1"), answers("msg_1", "stop"), asks("msg_2")) is None


def test_a_shell_command_of_the_user_answers_no_subtask() -> None:
    assert pending(asks("msg_1", "a"), asks("msg_2"), answers("msg_2", UNSET)) == ("msg_1", "a")
