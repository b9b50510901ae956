"""A message as a number that two programs can compare."""

from collections.abc import Iterable
from hashlib import blake2b

from opencode.core.wire import encode
from opencode.session.schema import MessageWithParts
from opencode.transfer.schema import MessageContent


def message_content(message: MessageWithParts) -> MessageContent:
    """The content of a message at hand."""
    parts = [encode(part) for part in message.parts]
    return MessageContent(id=message.info.id, parts=len(parts), digest=digest(encode(message.info), parts))


def digest(info: bytes, parts: Iterable[bytes]) -> str:
    """Over the JSON of a message's record and of its parts in order, as they are stored."""
    hashed = blake2b(info, digest_size=16)
    for part in parts:
        hashed.update(b"\n")
        hashed.update(part)
    return hashed.hexdigest()
