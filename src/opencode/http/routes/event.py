"""``/event`` and ``/global/event``: the streams of events."""

from opencode.event.schema import Event
from opencode.http.answer import Stream
from opencode.http.operation import operation
from opencode.http.schema import GlobalEvent
from opencode.http.sse import EventStream
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared


@operation("global.event", "GET", "/global/event")
def global_events(shared: Shared) -> Stream[GlobalEvent]:
    """Events of all directories, as they happen."""
    return Stream(EventStream(shared.bus, None))


@operation("event.subscribe", "GET", "/event")
def events(instance: Instance, shared: Shared) -> Stream[Event]:
    """Events of the directory, as they happen."""
    return Stream(EventStream(shared.bus, str(instance.directory)))


operations = (global_events, events)
