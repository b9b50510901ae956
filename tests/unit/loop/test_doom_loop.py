"""The third same call in a row asks a person."""

from typing import Any

import pytest

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.session.schema import StartTime, ToolPart, ToolStatePending, ToolStateRunning


def call(tool: str = "read", *, pending: bool = False, **given: Any) -> ToolPart:
    state = ToolStatePending(input=given) if pending else ToolStateRunning(input=given, time=StartTime(start=1))
    return ToolPart(
        id=PartID("prt_1"),
        session_id=SessionID("ses_1"),
        message_id=MessageID("msg_1"),
        call_id="call_1",
        tool=tool,
        state=state,
    )


async def asks(*calls: ToolPart, earlier: tuple[ToolPart, ...] = ()) -> bool:
    """Whether the newest of the calls is asked for."""
    asked: list[ToolPart] = []

    async def ask(part: ToolPart) -> None:
        asked.append(part)

    await DoomLoopGuard(earlier, ask).check(calls[-1], calls)
    assert asked in ([], [calls[-1]])
    return bool(asked)


A, B = call(file="a"), call(file="b")


@pytest.mark.parametrize(
    ("calls", "is_asked"),
    [
        ((A, A, A), True),
        ((B, A, A, A), True),
        ((A, A), False),
        ((A, B, A), False),
        ((A, A, B), False),
        ((A, A, call("glob", file="a")), False),
        ((call(file="a", pending=True), A, A), False),
    ],
)
async def test_three_equal_calls_in_a_row_are_asked_for(calls: tuple[ToolPart, ...], is_asked: bool) -> None:
    assert await asks(*calls) is is_asked


async def test_calls_of_earlier_messages_count_if_they_are_given() -> None:
    assert await asks(A, earlier=(A, A))
    assert not await asks(A, earlier=(A,))


async def test_what_the_ask_raises_stops_the_call() -> None:
    async def refuse(part: ToolPart) -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        await DoomLoopGuard([], refuse).check(A, [A, A, A])
