"""Parts of a prompt on their way to being stored. An empty id stands for one that is given when all are there."""

from typing import TypeVar

from opencode.core.ids import PartID
from opencode.core.wire import UNSET
from opencode.session.schema import Part, PartBase, PartInput, TextPart, UserMessage

P = TypeVar("P", bound=PartBase)

NO_ID = PartID("")


def stored(kind: type[P], message: UserMessage, part: PartInput) -> P:
    """The stored part with the fields of the input; without an id if the client gave none."""
    fields = {name: getattr(part, name) for name in part.__struct_fields__}
    given = fields.pop("id")
    part_id = NO_ID if given is UNSET else given
    return kind(id=part_id, session_id=message.session_id, message_id=message.id, **fields)


def synthetic(message: UserMessage, text: str) -> Part:
    """Text that the server adds for the model."""
    return TextPart(id=NO_ID, session_id=message.session_id, message_id=message.id, text=text, synthetic=True)
