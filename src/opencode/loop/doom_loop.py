"""Asks a person when the model makes the same call over and over (spec: prompt loop, section 11)."""

from collections.abc import Awaitable, Callable, Sequence

from opencode.core.wire import encode
from opencode.session.schema import ToolPart, ToolStatePending

REPETITIONS = 3

AskDoomLoop = Callable[[ToolPart], Awaitable[None]]


class DoomLoopGuard:
    """Looks at the calls of one assistant message, and of the messages before it in the same turn."""

    def __init__(self, earlier: Sequence[ToolPart], ask: AskDoomLoop) -> None:
        self._earlier = list(earlier)
        self._ask = ask

    async def check(self, call: ToolPart, calls: Sequence[ToolPart]) -> None:
        """Returns when the call may go on; raises what the ask raises."""
        newest = [*self._earlier, *calls][-REPETITIONS:]
        if len(newest) == REPETITIONS and all(_same(part, call) for part in newest):
            await self._ask(call)


def _same(one: ToolPart, other: ToolPart) -> bool:
    if isinstance(one.state, ToolStatePending) or one.tool != other.tool:
        return False
    return encode(one.state.input) == encode(other.state.input)
