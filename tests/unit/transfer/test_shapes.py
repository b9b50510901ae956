"""Records of older versions as today's."""

from typing import Any

import msgspec
import pytest

from opencode.core.ids import ProjectID
from opencode.core.wire import UNSET
from opencode.project.schema import Project, ProjectTime
from opencode.session.schema import APIError, AssistantMessage, UnknownError, UserMessage
from opencode.transfer.errors import Unreadable
from opencode.transfer.file_diff_shape import PATCH_LINES, file_diff
from opencode.transfer.message_shape import message_from
from opencode.transfer.part_shape import INTERRUPTED, part_from
from opencode.transfer.session_shape import placed, project_from, session_from, share_url, todos_from

SESSION = {"id": "ses_Abcdefgh", "directory": "/d", "title": "T", "version": "1", "time": {"created": 1, "updated": 2}}


def message(**fields: Any) -> Any:
    return message_from({"id": "msg_2", "time": {"created": 5}, **fields}, "ses_1", "/d", "msg_1")


def part(kind: str, **fields: Any) -> Any:
    raw = {"id": "prt_1", "type": kind, **fields}
    return msgspec.to_builtins(part_from(raw, "ses_1", "msg_1", 5))


def state(**fields: Any) -> Any:
    return part("tool", tool="read", callID="c", state=fields)["state"]


def test_a_session_of_a_version_without_slug_project_and_version_gets_them() -> None:
    session = session_from({"id": "ses_Abcdefgh", "directory": "/d", "title": "T", "time": {"created": 1}})
    assert (session.slug, session.project_id, session.version) == ("abcdefgh", "global", "unknown")
    assert session.time.updated == 1


def test_what_only_the_other_program_can_use_is_left_out_of_a_session() -> None:
    raw = {
        **SESSION,
        "share": {"url": "https://x", "secret": "s"},
        "workspaceID": "wrk_1",
        "permission": {"edit": "ask"},
        "revert": {"messageID": "msg_1", "snapshot": "abc", "diff": "d"},
        "parentID": None,
        "time": {"created": 1, "updated": 2, "compacting": 3},
    }
    session = msgspec.to_builtins(session_from(raw))
    assert session.keys() & {"share", "workspaceID", "permission", "parentID"} == set()
    assert session["revert"] == {"messageID": "msg_1", "diff": "d"}
    assert session["time"] == {"created": 1, "updated": 2}
    assert share_url(raw) == "https://x"


def test_a_summary_with_changes_alone_gets_its_totals() -> None:
    raw = {
        **SESSION,
        "summary": {"diffs": [{"file": "a", "before": "", "after": "x\ny\n", "additions": 2, "deletions": 0}]},
    }
    summary = session_from(raw).summary
    assert summary is not UNSET
    assert (summary.additions, summary.deletions, summary.files) == (2, 0, 1)


def test_a_session_without_a_path_gets_that_in_its_project() -> None:
    project = Project(id=ProjectID("p"), worktree="/d/tree", time=ProjectTime(created=1, updated=1))
    paths = [
        placed(session_from({**SESSION, "directory": at}), project).path for at in ("/d/tree", "/d/tree/a/b", "/e")
    ]
    assert paths == ["", "a/b", ""]


def test_a_project_without_version_control_or_sandboxes_is_read() -> None:
    project = project_from({"id": "global", "worktree": "/", "vcs": None, "time": {"created": 1.5}})
    assert project == Project(id=ProjectID("global"), worktree="/", time=ProjectTime(created=2, updated=2))


def test_tasks_get_the_id_of_their_position_and_the_usual_priority() -> None:
    todos = msgspec.to_builtins(todos_from([{"content": "a", "status": "done"}, {"id": 7, "content": "b"}]))
    assert todos == [
        {"id": "1", "content": "a", "status": "done", "priority": "medium"},
        {"id": "7", "content": "b", "status": "pending", "priority": "medium"},
    ]


def test_a_prompt_without_agent_and_model_gets_them() -> None:
    user = message(role="user", summary=True)
    assert isinstance(user, UserMessage)
    assert (user.agent, user.model.provider_id, user.summary) == ("build", "unknown", UNSET)


@pytest.mark.parametrize(
    "where", [{"variant": "high"}, {"model": {"providerID": "p", "modelID": "m", "variant": "high"}}]
)
def test_a_variant_stands_in_both_places(where: dict[str, Any]) -> None:
    user = message(role="user", **{"model": {"providerID": "p", "modelID": "m"}, **where})
    assert (user.variant, user.model.variant) == ("high", "high")


def test_an_answer_that_says_little_gets_prompt_agent_path_and_end() -> None:
    answer = message(role="assistant", mode="plan", parentID="", summary={"diffs": []}, system=["x"])
    assert isinstance(answer, AssistantMessage)
    assert (answer.parent_id, answer.agent, answer.mode, answer.path.cwd) == ("msg_1", "plan", "plan", "/d")
    assert (answer.time.completed, answer.summary) == (5, UNSET)


def test_an_answer_before_any_prompt_stands_for_itself() -> None:
    answer = message_from({"id": "msg_1", "role": "assistant", "time": {"created": 5}}, "ses_1", "/d", "")
    assert isinstance(answer, AssistantMessage) and answer.parent_id == "msg_1"


def test_errors_of_known_kinds_stay_and_others_say_what_they_said() -> None:
    known = message(
        role="assistant",
        error={"name": "APIError", "data": {"message": "no", "isRetryable": False, "statusCode": None}},
    )
    other = message(role="assistant", error={"name": "ProviderModelNotFoundError", "data": {"modelID": "m"}})
    assert isinstance(known.error, APIError)
    assert isinstance(other.error, UnknownError) and other.error.data.message == "ProviderModelNotFoundError"


@pytest.mark.parametrize(
    "raw", [None, [], "text", {"role": "user"}, {"id": "prt_1", "role": "user", "time": {"created": 1}}]
)
def test_what_is_no_message_is_refused(raw: Any) -> None:
    with pytest.raises(Unreadable):
        message_from(raw, "ses_1", "/d", "msg_1")


def test_calls_without_an_end_become_errors_that_keep_what_they_showed() -> None:
    for status in ("pending", "running"):
        ended = state(status=status, input={"a": 1}, raw="", metadata={"output": "x"}, time={"start": 7.4})
        assert ended == {
            "status": "error",
            "input": {"a": 1},
            "error": INTERRUPTED,
            "metadata": {"output": "x"},
            "time": {"start": 7, "end": 7},
        }


def test_results_of_calls_get_what_is_missing() -> None:
    done = state(status="completed", input="text", attachments=[{"type": "file", "mime": "image/png", "url": "data:,"}])
    attachment = done.pop("attachments")[0]
    assert done == {
        "status": "completed", "input": {"input": "text"}, "output": "", "title": "", "metadata": {},
        "time": {"start": 5, "end": 5},
    }  # fmt: skip
    assert (attachment["id"], attachment["sessionID"], attachment["messageID"]) == ("prt_11", "ses_1", "msg_1")
    assert state(status="error")["error"] == "unknown"


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("step-start", {"snapshot": "abc"}, {}),
        ("step-finish", {"snapshot": "abc"}, {"reason": "unknown", "cost": 0}),
        ("patch", {"hash": "abc"}, {"hash": "abc", "files": []}),
        ("compaction", {}, {"auto": False}),
        ("reasoning", {"text": "hm"}, {"text": "hm", "time": {"start": 5, "end": 5}}),
        ("subtask", {"prompt": "p"}, {"prompt": "p", "description": "", "agent": "unknown"}),
        ("text", {"text": "x", "time": {"start": 1.5, "end": None}}, {"text": "x", "time": {"start": 2}}),
    ],
)
def test_parts_of_each_kind_get_what_is_missing(kind: str, fields: Any, expected: Any) -> None:
    made = part(kind, **fields)
    made.pop("tokens", None)
    assert made == {"id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1", "type": kind, **expected}


@pytest.mark.parametrize(
    "raw",
    [None, {"id": "prt_1"}, {"id": "prt_1", "type": "text"}, {"id": "prt_1", "type": "tool", "state": {"status": "?"}}],
)
def test_what_is_no_part_is_refused(raw: Any) -> None:
    with pytest.raises(Unreadable):
        part_from(raw, "ses_1", "msg_1", 5)


def test_a_patch_says_when_there_is_no_newline_at_the_end() -> None:
    made = file_diff({"file": "a", "before": "x", "after": "y\n", "additions": 1, "deletions": 1, "status": "unknown"})
    assert made["patch"] == "--- a\n+++ a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n"
    assert "status" not in made


def test_a_change_of_very_long_contents_has_no_patch() -> None:
    made = file_diff({"file": "a", "before": "", "after": "x\n" * (PATCH_LINES + 1), "additions": 1, "deletions": 0})
    assert made == {"file": "a", "additions": 1, "deletions": 0}
