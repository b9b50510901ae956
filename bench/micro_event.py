"""What an event costs: published, logged, delivered. Prints CPU microseconds; run it on a quiet machine."""

import tempfile
import time
from pathlib import Path

import anyio
import anyio.lowlevel

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, MessageID, PartID, SessionID
from opencode.event.bus import EventBus, EventPublisher
from opencode.event.log import open_event_log
from opencode.event.schema import EventScope
from opencode.event.subscription import Subscription
from opencode.session.schema import MessagePartDelta, MessageRemoved
from opencode.storage.database import Database, Transaction, open_database

ROUNDS = 20_000
DELTA = MessagePartDelta(
    session_id=SessionID("ses_0123456789abABCDEFGHIJKLMN"),
    message_id=MessageID("msg_0123456789abABCDEFGHIJKLMN"),
    part_id=PartID("prt_0123456789abABCDEFGHIJKLMN"),
    field="text",
    delta="some more text ",
)
DURABLE = MessageRemoved(session_id=DELTA.session_id, message_id=DELTA.message_id)


async def drain(subscription: Subscription, sent: list[int]) -> None:
    """A client that reads as fast as it can."""
    async for batch in subscription.batches():
        sent[0] += 1
        sent[1] += len(batch)


async def publishing(bus: EventBus, events: EventPublisher, streams: int, per_turn: int) -> None:
    """Deltas to a number of streams, some of them per turn of the loop."""
    sent = [0, 0]
    async with anyio.create_task_group() as tasks:
        for _ in range(streams):
            tasks.start_soon(listen, bus, sent)
        await anyio.sleep(0.05)
        rounds = ROUNDS // (10 if streams > 1 else 1)
        began, publishing_ns = time.process_time_ns(), 0
        for _ in range(rounds // per_turn):
            turn = time.perf_counter_ns()
            for _ in range(per_turn):
                events.publish(DELTA)
            publishing_ns += time.perf_counter_ns() - turn
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.05)
        cpu = (time.process_time_ns() - began) / rounds / 1000
        print(
            f"{streams:4} streams, {per_turn:3} per turn: {publishing_ns / rounds / 1000:6.2f} us to publish, "
            f"{cpu:7.2f} us in all, {cpu / max(1, streams):6.2f} per delivery, {sent[0] / max(1, streams):.0f} writes"
        )
        tasks.cancel_scope.cancel()


async def listen(bus: EventBus, sent: list[int]) -> None:
    """One stream."""
    async with bus.subscribe("/project") as subscription:
        await drain(subscription, sent)


async def logging(database: Database, events: EventPublisher) -> None:
    """Durable events, one commit each."""

    def change(tx: Transaction) -> None:
        events.append(tx, DURABLE)

    for tasks_at_once in (1, 16):
        began = time.process_time_ns()

        async def write(count: int) -> None:
            for _ in range(count):
                await database.write(change)

        async with anyio.create_task_group() as tasks:
            for _ in range(tasks_at_once):
                tasks.start_soon(write, 4096 // tasks_at_once)
        print(f"{tasks_at_once:4} writers: {(time.process_time_ns() - began) / 4096 / 1000:6.2f} us per logged event")


async def main() -> None:
    """All measurements."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(Path(folder) / "bench.db") as database:
            bus = EventBus(await open_event_log(database, clock), IdGenerator(clock), clock)
            events = bus.scoped(EventScope(directory="/project"))
            for streams, per_turn in ((0, 1), (1, 1), (1, 20), (50, 1), (50, 20)):
                await publishing(bus, events, streams, per_turn)
            await logging(database, events)


if __name__ == "__main__":
    anyio.run(main, backend_options={"use_uvloop": True})
