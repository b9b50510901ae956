"""The events of the server itself: of a stream, of an instance, of the whole process."""

from typing import ClassVar, Literal

from opencode.event.schema import Event

ResyncReason = Literal["malformed", "other-database", "too-old", "unknown"]
"""Why a cursor cannot be continued: no cursor of ours; of another database; its successors are gone; never issued."""


class ServerConnected(Event):
    """First of every stream."""

    type: ClassVar[str] = "server.connected"
    durable: ClassVar[bool] = False


class ServerHeartbeat(Event):
    """The stream is alive."""

    type: ClassVar[str] = "server.heartbeat"
    durable: ClassVar[bool] = False


class ServerResync(Event):
    """Events were missed and cannot be given again: the client must load its state anew. Ours."""

    type: ClassVar[str] = "server.resync"
    durable: ClassVar[bool] = False
    reason: ResyncReason


class ServerInstanceDisposed(Event):
    """The instance of a directory is gone; its ``/event`` streams end after this."""

    type: ClassVar[str] = "server.instance.disposed"
    durable: ClassVar[bool] = False
    directory: str


class GlobalDisposed(Event):
    """All instances are gone."""

    type: ClassVar[str] = "global.disposed"
    durable: ClassVar[bool] = False


class ModelsDevRefreshed(Event):
    """The catalogue of models was replaced by a newer one."""

    type: ClassVar[str] = "models-dev.refreshed"
    durable: ClassVar[bool] = False
