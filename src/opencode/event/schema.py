"""What an event is. The event types themselves live beside the records they tell of."""

from typing import ClassVar

from opencode.core.ids import ProjectID
from opencode.core.wire import Wire


class Event(Wire):
    """The properties of one event; a subclass per type, next to the domain's records.

    On the wire: ``{"id": "evt_...", "type": TYPE, "properties": <these fields>}``. A ``durable`` event is
    written to the log in the same transaction as the change it tells of and can be replayed after a restart;
    the others (deltas, stream-local events) are only kept in memory for a while.
    """

    type: ClassVar[str]
    durable: ClassVar[bool] = True


class EventScope(Wire):
    """Where an event belongs: the directory of its instance, and the project of that directory.

    ``directory`` is ``"global"`` for events of the whole process.
    """

    directory: str
    project: ProjectID | None = None
