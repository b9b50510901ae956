"""Which streams are open, grouped so that an event is encoded once for all that show it alike."""

from opencode.event.frame import Envelope, Frame, sse
from opencode.event.subscription import Subscription


class Streams:
    """The open streams, by directory (None: all directories) and envelope."""

    def __init__(self) -> None:
        self._groups: dict[str | None, dict[Envelope, list[Subscription]]] = {}

    def add(self, directory: str | None, envelope: Envelope, subscription: Subscription) -> None:
        """Send what follows to one more stream."""
        self._groups.setdefault(directory, {}).setdefault(envelope, []).append(subscription)

    def remove(self, directory: str | None, envelope: Envelope, subscription: Subscription) -> None:
        """Send it nothing more."""
        envelopes = self._groups[directory]
        envelopes[envelope].remove(subscription)
        if not envelopes[envelope]:
            del envelopes[envelope]
        if not envelopes:
            del self._groups[directory]

    def has_audience(self, directory: str) -> bool:
        """Whether a stream shows the directory's events."""
        return self.shows_alone(directory) or None in self._groups

    def shows_alone(self, directory: str) -> bool:
        """Whether a stream shows the directory's events and no others."""
        return directory in self._groups

    def send(self, directory: str, frame: Frame, epoch: bytes) -> None:
        """Put a frame into the buffers of the directory's streams and of the global ones."""
        if not self._groups:
            return
        cursor = b"%b.%d" % (epoch, frame.seq)
        for key in (directory, None):
            for envelope, subscriptions in self._groups.get(key, {}).items():
                data = envelope(frame)
                if data is None:
                    continue
                message = sse(data, cursor)
                for subscription in subscriptions:
                    subscription.push(message)
        if frame.ends:
            self._finish(directory)

    def finish_all(self) -> None:
        """End every stream."""
        for directory in self._groups:
            self._finish(directory)

    def _finish(self, directory: str | None) -> None:
        for subscriptions in self._groups.get(directory, {}).values():
            for subscription in subscriptions:
                subscription.finish()
