"""Server-sent events, as far as model providers use them: the data of each event."""

from collections.abc import Iterator

LARGEST_EVENT_BYTES = 32 * 1024 * 1024


class EventTooLarge(Exception):
    """A single event grew past every reasonable size."""


class SseReader:
    """Cuts a byte stream into the data of its events, whatever the pieces it arrives in."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._line_size = 0
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of every event that this piece completes. Raises ``EventTooLarge``."""
        *lines, rest = chunk.split(b"\n")
        if lines and self._line:  # pieces of a line are put together once, when it ends
            lines[0] = b"".join((*self._line, lines[0]))
        if lines:
            self._line, self._line_size = [], 0
        if rest:
            self._line.append(rest)
            self._line_size += len(rest)
            if self._line_size > LARGEST_EVENT_BYTES:
                raise EventTooLarge
        for line in lines:
            if line.startswith(b"data:"):
                self._size += len(line)
                if self._size > LARGEST_EVENT_BYTES:
                    raise EventTooLarge
                self._data.append(line[5:].strip())
            elif self._data and line in (b"", b"\r"):
                yield self._take()

    def rest(self) -> Iterator[bytes]:
        """The data of an event that the stream ended in the middle of."""
        if self._line:
            yield from self.feed(b"\n")
        if self._data:
            yield self._take()

    def _take(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data, self._size = [], 0
        return data
