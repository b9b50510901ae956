"""Child sessions: their rules, and what counts as the result of their work."""

from typing import Any

import pytest

from opencode.agent.schema import Agent
from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID
from opencode.core.wire import UNSET
from opencode.loop.subagent import child_rules, final_text
from opencode.permission.schema import PermissionRule
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessageAbortedError,
    MessageOutputLengthError,
    MessagePath,
    MessageText,
    MessageTime,
    MessageWithParts,
    Part,
    PromptModel,
    SpanTime,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolTime,
    UserMessage,
)
from opencode.tool.tool import ToolError

CHILD, MESSAGE = SessionID("ses_child"), MessageID("msg_1")
GO_ON = '\nTo go on with it, call the tool with task_id "ses_child".'


def rule(permission: str, action: Any, pattern: str = "*") -> PermissionRule:
    return PermissionRule(permission=permission, pattern=pattern, action=action)


def agent(*rules: PermissionRule) -> Agent:
    return Agent(name="helper", mode="subagent", permission=list(rules), options={})


def test_a_child_delegates_and_plans_only_if_its_agent_speaks_of_it() -> None:
    """Source: golden traces ``tools_task``, ``tools_task_parallel``."""
    plain = agent(rule("*", "allow"))
    assert child_rules([], plain, []) == [rule("todowrite", "deny"), rule("task", "deny")]
    assert child_rules([], agent(rule("todowrite", "deny")), []) == [rule("task", "deny")]
    assert child_rules([], agent(rule("task", "ask", "x"), rule("todowrite", "allow")), []) == []


def test_a_child_inherits_what_its_parent_forbids_and_where_it_may_go() -> None:
    parent = [
        rule("bash", "deny", "rm *"),
        rule("edit", "allow"),
        rule("external_directory", "allow", "/x/*"),
        rule("webfetch", "ask"),
    ]
    closed = agent(rule("task", "deny"), rule("todowrite", "deny"))
    assert child_rules(parent, closed, ["lsp"]) == [parent[0], parent[2], rule("lsp", "deny")]


def text(words: str) -> TextPart:
    return TextPart(id=PartID("prt_1"), session_id=CHILD, message_id=MESSAGE, text=words)


def call(state: ToolStateCompleted | ToolStateError) -> ToolPart:
    return ToolPart(id=PartID("prt_1"), session_id=CHILD, message_id=MESSAGE, call_id="c", tool="bash", state=state)


DONE = call(ToolStateCompleted(input={}, output="", title="", metadata={}, time=ToolTime(start=1, end=2)))
FAILED = call(ToolStateError(input={}, error="Refused.", time=SpanTime(start=1, end=2)))


def answer(*parts: Part, **fields: Any) -> MessageWithParts:
    info = AssistantMessage(
        id=MESSAGE,
        session_id=CHILD,
        parent_id=MessageID("msg_0"),
        mode="general",
        agent="general",
        path=MessagePath(cwd="/", root="/"),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        time=MessageTime(created=1),
        **fields,
    )
    return MessageWithParts(info=info, parts=list(parts))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], ""),
        ([text("One."), text("Two.")], "Two."),
        ([text("One."), DONE], "One."),
        ([FAILED, text("Never mind.")], "Never mind."),
    ],
)
def test_the_last_text_is_the_result(parts: list[Part], expected: str) -> None:
    assert final_text(CHILD, answer(*parts)) == expected


@pytest.mark.parametrize(
    ("stopped", "reason"),
    [
        (answer(text("One."), error=MessageAbortedError(data=MessageText(message="Aborted"))), "Aborted"),
        (answer(error=MessageOutputLengthError()), "MessageOutputLengthError"),
        (answer(text("One."), FAILED), "Refused."),
    ],
)
def test_work_that_did_not_end_well_fails_with_the_name_of_the_task(stopped: MessageWithParts, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        final_text(CHILD, stopped)
    assert str(error.value) == f"Task ses_child did not finish: {reason}{GO_ON}"


def test_a_prompt_without_an_answer_is_no_result() -> None:
    model = PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m"), variant=UNSET)
    user = UserMessage(id=MESSAGE, session_id=CHILD, time=CreatedTime(created=1), agent="general", model=model)
    with pytest.raises(ToolError, match="it gave no answer"):
        final_text(CHILD, MessageWithParts(info=user, parts=[]))
