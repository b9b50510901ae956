"""Ids: layout, order, and what they do with clocks that disagree."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from opencode.core.ids import IdGenerator


class FixedClock:
    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now


LAYOUT = re.compile(r"^(ses|msg|prt|per|que|evt|tool)_[0-9a-f]{12}[0-9A-Za-z]{14}$")


def test_every_kind_of_id_has_the_official_layout() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    made = [ids.session(), ids.message(), ids.part(), ids.permission(), ids.question(), ids.event(), ids.tool_output()]
    assert all(LAYOUT.match(one) for one in made)


def test_the_first_ids_of_a_millisecond_count_from_one_across_prefixes() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    message, part = ids.message(), ids.part()
    stamp = (1_795_163_124_622 * 4096) & ((1 << 48) - 1)
    assert message.startswith(f"msg_{stamp + 1:012x}")
    assert part.startswith(f"prt_{stamp + 2:012x}")


def test_sessions_sort_newest_first_and_messages_oldest_first() -> None:
    clock = FixedClock(1_795_163_124_622)
    ids = IdGenerator(clock)
    first_session, first_message = ids.session(), ids.message()
    clock.now += 5
    assert ids.session() < first_session
    assert ids.message() > first_message


def test_ids_keep_growing_when_the_clock_steps_back() -> None:
    clock = FixedClock(1_795_163_124_622)
    ids = IdGenerator(clock)
    before = ids.message()
    clock.now -= 60_000
    assert ids.message() > before


def test_more_than_4096_ids_in_a_millisecond_stay_in_order() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    made = [ids.part() for _ in range(5000)]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_stamp() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    with ThreadPoolExecutor(8) as threads:
        stamps = list(threads.map(lambda _: ids.message()[4:16], range(2000)))
    assert len(set(stamps)) == 2000


def test_a_message_id_follows_one_that_a_fast_client_clock_made() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    fast = IdGenerator(FixedClock(1_795_163_124_622 + 600_000)).message()
    after = ids.message(after=fast)
    assert after > fast
    assert LAYOUT.match(after)


def test_a_message_id_follows_the_last_one_before_the_wrap() -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    last = "msg_ffffffffffffzzzzzzzzzzzzzz"
    assert ids.message(after=last) > last


@pytest.mark.parametrize("own", ["msg_mine", "msg_ffffffffffffzzzzzzzzzzzzzz", "msg_z\n", "msgs"])
def test_message_ids_follow_a_clients_own_spelling_without_growing(own: str) -> None:
    ids = IdGenerator(FixedClock(1_795_163_124_622))
    made = [own]
    for _ in range(50):
        made.append(ids.message(after=made[-1]))
    assert made == sorted(set(made))
    assert {len(one) for one in made[1:]} == {len(own) + 26}


def test_a_call_id_is_a_ulid() -> None:
    assert re.match(r"^[0-9A-HJKMNP-TV-Z]{26}$", IdGenerator(FixedClock(1_795_163_124_622)).call())
