"""When streams are woken."""

import asyncio

import anyio
import anyio.lowlevel

from opencode.event.pacer import SECONDS_PER_STREAM, STREAMS_PER_TURN, Pacer


class Sleepers:
    """Streams that note when they were woken."""

    def __init__(self) -> None:
        self.pacer = Pacer()
        self.woken: list[float] = []

    def sleep(self, count: int) -> None:
        for _ in range(count):
            self.pacer.wake_soon(lambda: self.woken.append(asyncio.get_running_loop().time()))

    async def all_awake(self, count: int) -> None:
        with anyio.fail_after(10):
            while len(self.woken) < count:
                await anyio.lowlevel.checkpoint()


async def test_after_quiet_all_are_woken_in_the_next_turn_of_the_loop() -> None:
    sleepers = Sleepers()
    sleepers.sleep(3)
    assert sleepers.woken == []
    await anyio.lowlevel.checkpoint()
    assert len(sleepers.woken) == 3


async def test_a_round_is_followed_by_a_pause_in_proportion_to_the_streams_it_woke() -> None:
    sleepers = Sleepers()
    sleepers.sleep(50)
    await sleepers.all_awake(50)
    sleepers.sleep(2)
    await sleepers.all_awake(52)
    last, next_ = sleepers.woken[49], sleepers.woken[50]
    assert next_ - last >= 50 * SECONDS_PER_STREAM * 0.9
    assert len(sleepers.woken) == 52


async def test_many_streams_leave_turns_of_the_loop_to_others() -> None:
    sleepers = Sleepers()
    many = 3 * STREAMS_PER_TURN + 1
    sleepers.sleep(many)
    seen = []
    with anyio.fail_after(10):
        while len(sleepers.woken) < many:
            await anyio.lowlevel.checkpoint()
            seen.append(len(sleepers.woken))
    assert seen == [STREAMS_PER_TURN, 2 * STREAMS_PER_TURN, 3 * STREAMS_PER_TURN, many]


async def test_who_falls_asleep_during_a_round_is_woken_in_the_next() -> None:
    sleepers = Sleepers()
    sleepers.sleep(2 * STREAMS_PER_TURN)
    await anyio.lowlevel.checkpoint()
    sleepers.sleep(1)
    await sleepers.all_awake(2 * STREAMS_PER_TURN + 1)
