"""The pure rules of compaction: overflow, what stays visible, the kept tail, pruning."""

from typing import Any

import pytest

from opencode.config.schema import CompactionConfig
from opencode.core.ids import MessageID
from opencode.core.wire import UNSET, replace
from opencode.loop.failures import aborted
from opencode.loop.kept_tail import cut_history, tail_budget
from opencode.loop.overflow import overflows, used_tokens
from opencode.loop.prune import prunable
from opencode.loop.transcript import transcript
from opencode.loop.visible_history import visible_history
from opencode.provider.schema import ModelLimit
from opencode.session.schema import (
    CacheTokens,
    CompactionPart,
    MessageWithParts,
    Part,
    Tokens,
    ToolPart,
    ToolStateCompleted,
    ToolTime,
)
from tests.support.records import assistant_message, text_part, user_message
from tests.support.wires import CHAT, model_of


@pytest.mark.parametrize(
    ("limit", "max_output", "config", "total", "full"),
    [
        (ModelLimit(context=200_000, output=64_000), 32_000, UNSET, 168_000, True),
        (ModelLimit(context=200_000, output=64_000), 32_000, UNSET, 167_999, False),
        (ModelLimit(context=400_000, input=272_000, output=128_000), 32_000, UNSET, 252_000, True),
        (ModelLimit(context=400_000, input=272_000, output=128_000), 32_000, UNSET, 251_999, False),
        (ModelLimit(context=400_000, input=272_000), 32_000, CompactionConfig(reserved=40_000), 240_000, True),
        (ModelLimit(), 32_000, UNSET, 10**9, False),
        (ModelLimit(context=8_192, output=8_192), 8_192, UNSET, 8_192, False),
        (ModelLimit(context=200_000), 32_000, CompactionConfig(auto=False), 10**9, False),
    ],
)
def test_a_step_overflows_when_it_leaves_no_room(
    limit: ModelLimit, max_output: int, config: Any, total: int, full: bool
) -> None:
    assert overflows(Tokens(total=total), model_of(CHAT, limit=limit), max_output, config) is full


def ask(n: int, *parts: Part) -> MessageWithParts:
    return MessageWithParts(info=user_message("ses", f"msg_{n}"), parts=list(parts) or [said(n)])


def answer(n: int, to: int, *parts: Part, **fields: Any) -> MessageWithParts:
    info = assistant_message("ses", f"msg_{n}", f"msg_{to}", **{"finish": "stop", **fields})
    return MessageWithParts(info=info, parts=list(parts) or [said(n)])


def said(n: int, text: str = "x" * 40) -> Part:
    return text_part("ses", f"msg_{n}", f"prt_{n}", text)


def marker(n: int, tail: str | None = None, *, auto: bool = True) -> MessageWithParts:
    where = {"id": f"prt_{n}", "session_id": "ses", "message_id": f"msg_{n}"}
    return ask(n, CompactionPart(**where, auto=auto, tail_start_id=MessageID(tail) if tail else UNSET))  # type: ignore[arg-type]


def ids(messages: list[MessageWithParts]) -> list[int]:
    return [int(message.info.id.removeprefix("msg_")) for message in messages]


def test_without_a_compaction_everything_is_visible() -> None:
    assert ids(visible_history([ask(1), answer(2, 1)])) == [1, 2]


def test_a_summary_hides_what_came_before_its_marker() -> None:
    history = [ask(1), answer(2, 1), marker(3), answer(4, 3, summary=True), ask(5)]
    assert ids(visible_history(history)) == [3, 4, 5]


@pytest.mark.parametrize("failed", [{"finish": UNSET}, {"error": {"name": "UnknownError"}}])
def test_a_pending_or_failed_compaction_hides_nothing(failed: dict[str, Any]) -> None:
    history = [ask(1), answer(2, 1), marker(3), answer(4, 3, summary=True, **failed)]
    assert ids(visible_history(history)) == [1, 2, 3, 4]


@pytest.mark.parametrize(("auto", "visible"), [(False, [1, 2, 6]), (True, [1, 2, 3, 4, 5, 6])])
def test_a_compaction_that_its_user_stopped_is_not_seen_again_and_an_automatic_one_stays(
    auto: bool, visible: list[int]
) -> None:
    failed = answer(4, 3, summary=True, finish=UNSET, error={"name": "UnknownError"})
    stopped = answer(5, 3, summary=True, finish=UNSET, error=aborted())
    history = [ask(1), answer(2, 1), marker(3, auto=auto), failed, stopped, ask(6)]
    assert ids(visible_history(history)) == visible


def test_only_the_newest_compaction_counts() -> None:
    first = [ask(1), marker(2), answer(3, 2, summary=True)]
    assert ids(visible_history([*first, ask(4), marker(5), answer(6, 5, summary=True), ask(7)])) == [5, 6, 7]


def test_the_kept_tail_follows_the_summary() -> None:
    history = [ask(1), answer(2, 1), ask(3), answer(4, 3), marker(5, "msg_3"), answer(6, 5, summary=True), ask(7)]
    assert ids(visible_history(history)) == [5, 6, 3, 4, 7]
    gone = [*history[:4], marker(5, "msg_x"), *history[5:]]
    assert ids(visible_history(gone)) == [5, 6, 7]


def ten_each(messages: Any) -> int:
    return 10 * len(messages)


@pytest.mark.parametrize(
    ("budget", "config", "kept"),
    [
        (100, UNSET, []),  # all of it would stay: then nothing does
        (45, UNSET, [3, 4, 5, 6]),
        (30, UNSET, [4, 5, 6]),
        (20, UNSET, [5, 6]),
        (5, UNSET, []),
        (45, CompactionConfig(tail_turns=1), [5, 6]),
        (45, CompactionConfig(tail_turns=0), []),
    ],
)
def test_whole_turns_are_kept_from_the_newest_on(budget: int, config: Any, kept: list[int]) -> None:
    history = [ask(1), answer(2, 1), ask(3), answer(4, 3), ask(5), answer(6, 5)]
    cut = cut_history(history, budget, ten_each, config)
    assert ids(list(cut.tail)) == kept
    assert [*cut.head, *cut.tail] == history


def test_the_tail_gets_a_quarter_of_the_room_within_bounds() -> None:
    assert [tail_budget(usable, UNSET) for usable in (None, 20_000, 10**6)] == [2_000, 5_000, 15_000]
    assert tail_budget(20_000, CompactionConfig(preserve_recent_tokens=7)) == 7


def call(n: int, tokens: int, tool: str = "read", **time: Any) -> Part:
    state = ToolStateCompleted(
        input={}, output="x" * tokens * 4, title="", metadata={}, time=ToolTime(start=1, end=2, **time)
    )
    where: dict[str, Any] = {"id": f"prt_{n}", "session_id": "ses", "message_id": f"msg_{n}"}
    return ToolPart(**where, call_id=f"call_{n}", tool=tool, state=state)


RECENT = [ask(8), answer(9, 8), ask(10), answer(11, 10)]


@pytest.mark.parametrize(
    ("calls", "pruned"),
    [
        ([(1, 40_000)], []),
        ([(1, 20_001), (2, 40_000)], [1]),
        ([(1, 20_000), (2, 40_000)], []),
        ([(1, 15_000), (2, 15_000), (3, 40_000)], [2, 1]),
    ],
)
def test_old_outputs_are_pruned_once_it_is_worth_it(calls: list[tuple[int, int]], pruned: list[int]) -> None:
    history = [ask(0), *[answer(n, 0, call(n, tokens)) for n, tokens in calls], *RECENT]
    assert [int(part.call_id.removeprefix("call_")) for part in prunable(history)] == pruned


def test_recent_turns_and_skills_are_never_pruned() -> None:
    assert prunable([ask(8), answer(9, 8, call(9, 10**6)), ask(10)]) == []
    assert prunable([ask(0), answer(1, 0, call(1, 10**6, "skill")), *RECENT]) == []


def test_pruning_stops_where_it_stopped_before_and_at_a_summary() -> None:
    old = [answer(1, 0, call(1, 10**6)), answer(2, 0, call(2, 10**6, compacted=5))]
    assert [part.id for part in prunable([ask(0), *old, answer(3, 0, call(3, 10**5)), *RECENT])] == ["prt_3"]
    summary = answer(4, 0, summary=True)
    assert prunable([ask(0), answer(1, 0, call(1, 10**6)), summary, *RECENT]) == []


def test_a_transcript_labels_what_was_said_and_cuts_long_results() -> None:
    text = transcript([ask(1, said(1, "Do it")), answer(2, 1, said(2, "Done"), call(3, 1_000))])
    assert text.startswith("User: Do it\n\nAssistant: Done\n\nTool call: read {}\n\nTool result: xxx")
    assert text.endswith("[2000 more characters]")


def test_without_a_total_everything_counts_that_was_in_the_context() -> None:
    tokens = Tokens(input=1, output=20, reasoning=0, cache=CacheTokens(read=300, write=4000))
    assert used_tokens(tokens) == 4321
    assert used_tokens(replace(tokens, total=7)) == 7
    assert used_tokens(replace(tokens, total=0)) == 4321
