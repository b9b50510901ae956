"""HTTP/1.1 as uvicorn speaks it, with a limit that it does not have: a request line and headers of any size."""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES: Final = 128 * 1024
"""Paths and cookies are long, not endless. Checked before anybody is asked for credentials."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses requests whose head does not end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """What came in. A head that is complete within this piece is not measured: pieces are small."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES:
                self.send_400_response("Request head too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What follows is its body."""
        self._in_head = False
        super().on_headers_complete()
