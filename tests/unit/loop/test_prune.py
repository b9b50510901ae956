"""Old outputs are hidden from the model once a session rests."""

from opencode.config.schema import CompactionConfig
from opencode.core.ids import MessageID, PartID
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.loop.prune import Pruner
from opencode.session.changes import PutMessage, PutPart
from opencode.session.schema import MessagePartUpdated, ToolPart, ToolStateCompleted, ToolStatePending, ToolTime
from tests.support.event_world import NOW
from tests.support.loop_world import ID, LoopWorld
from tests.support.records import user_message

DONE = ToolStateCompleted(input={}, output="x" * 160_000, title="", metadata={}, time=ToolTime(start=1, end=2))


def call(name: str, state: ToolStateCompleted | ToolStatePending = DONE, tool: str = "read") -> ToolPart:
    return ToolPart(
        id=PartID(f"prt_{name}"), session_id=ID, message_id=MessageID("msg_2"), call_id=name, tool=tool, state=state
    )


async def pruned(place: LoopWorld, *calls: ToolPart, config: CompactionConfig | UnsetType = UNSET) -> list[str]:
    """The calls that are hidden, after two further turns."""
    await place.store.commit(
        *[PutPart(part) for part in calls],
        PutMessage(user_message(ID, "msg_3")),
        PutMessage(user_message(ID, "msg_4")),
    )
    place.told.clear()
    await Pruner(place.store, place.clock, config).prune(ID)
    told = [event.part for event in place.heard(MessagePartUpdated)]
    assert all(part.state.time.compacted == NOW for part in told)
    hidden = [part for part in place.call_parts if part in told]
    assert hidden == [
        replace(part, state=replace(DONE, time=ToolTime(start=1, end=2, compacted=NOW))) for part in hidden
    ]
    return [part.call_id for part in hidden]


async def test_outputs_beyond_the_newest_ones_are_hidden_and_told(place: LoopWorld) -> None:
    assert await pruned(place, call("a"), call("b", ToolStatePending()), call("c"), call("d")) == ["a", "c"]


async def test_what_does_not_pay_is_left(place: LoopWorld) -> None:
    assert await pruned(place, call("a", replace(DONE, output="x" * 80_000)), call("b")) == []


async def test_the_configuration_may_forbid_it(place: LoopWorld) -> None:
    assert await pruned(place, call("a"), call("b"), config=CompactionConfig(prune=False)) == []
    assert await pruned(place, call("a"), call("b"), config=CompactionConfig(prune=True)) == ["a"]


HIDDEN = replace(DONE, time=ToolTime(start=1, end=2, compacted=3))


async def test_what_lies_before_an_earlier_pruning_is_not_looked_at_again(place: LoopWorld) -> None:
    assert await pruned(place, call("a"), call("b", HIDDEN), call("c"), call("d")) == ["c"]


async def test_what_does_not_pay_since_an_earlier_pruning_is_left(place: LoopWorld) -> None:
    small = replace(DONE, output="x" * 80_000)
    assert await pruned(place, call("a", HIDDEN), call("b", small), call("c")) == []
