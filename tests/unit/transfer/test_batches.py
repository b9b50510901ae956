"""Messages in portions."""

from opencode.session.schema import MessageWithParts
from opencode.transfer.batches import batches
from tests.support.records import text_part, user_message


def message(number: int, size: int) -> MessageWithParts:
    id = f"msg_{number}"
    return MessageWithParts(info=user_message("ses_1", id), parts=[text_part("ses_1", id, f"prt_{number}", "x" * size)])


def sizes(*messages: MessageWithParts) -> list[int]:
    return [len(portion) for portion in batches(messages, limit=10_000)]


def test_portions_are_as_large_as_the_limit_allows() -> None:
    assert sizes(*[message(number, 3000) for number in range(7)]) == [3, 3, 1]


def test_a_message_beyond_the_limit_is_a_portion_of_its_own() -> None:
    assert sizes(message(1, 10), message(2, 50_000), message(3, 10)) == [1, 1, 1]


def test_no_messages_are_one_empty_portion() -> None:
    assert sizes() == [0]
