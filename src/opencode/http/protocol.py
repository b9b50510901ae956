"""HTTP/1.1 as uvicorn speaks it, with limits that it does not have: on what comes before a body, and after one."""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES: Final = 128 * 1024
"""Paths and cookies are long, not endless. Checked before anybody is asked for credentials."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses requests whose head, or whose trailer behind a body in chunks, does not end.

    What a trailer says is ignored.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_fields = False
        """Whether a head or a trailer may go on: the parser keeps it until it is complete."""
        self._have_begun = False
        self._field_bytes = 0

    def data_received(self, data: bytes) -> None:
        """What came in. Pieces in which a head begins or ends are not measured: they are small."""
        self._have_begun = False
        super().data_received(data)
        if self._in_fields and not self._have_begun:
            self._field_bytes += len(data)
            if self._field_bytes > LARGEST_HEAD_BYTES:
                self.send_400_response("Request head too large.")

    def _unsupported_upgrade_warning(self) -> None:
        """Clients may offer another protocol with every request; they are answered in this one, without a word."""

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begin_fields()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What follows is its body."""
        self._in_fields = False
        super().on_headers_complete()
        # uvicorn would add the fields of a trailer to those that the request is judged by.
        self.headers = []

    def on_chunk_header(self) -> None:
        """A chunk of the body follows or, behind the last one, the trailer."""
        self._begin_fields()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._in_fields = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is over."""
        self._in_fields = False
        super().on_message_complete()

    def _begin_fields(self) -> None:
        self._in_fields, self._have_begun, self._field_bytes = True, True, 0
