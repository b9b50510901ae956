"""Which directory a request is about (spec: HTTP 3)."""

import os
import re
from urllib.parse import unquote

from opencode.http.errors import RequestInvalid
from opencode.http.request import Request

LONGEST_BYTES, LONGEST_NAME_BYTES = 3840, 255
"""What file systems take; the whole leaves room for the names of files."""
HEADER = b"x-opencode-directory"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def chosen_directory(request: Request, working_directory: str, otherwise: str | None = None) -> str:
    """The absolute directory: the query's, else the header's, else the other one, else the server's own.

    It need not exist. Raises ``RequestInvalid`` for what no path can be.
    """
    given = request.query.get("directory") or request.header(HEADER) or otherwise
    if not given:
        return working_directory
    directory = os.path.normpath(os.path.join(working_directory, _decoded(given)))  # noqa: PTH118 - text in, text out
    if directory.startswith("//"):  # which POSIX lets mean something else; it never does
        directory = directory[1:]
    if "\0" in directory or _is_too_long(os.fsencode(directory)):
        raise RequestInvalid("Expected the path of a directory", kind="Query", path=("directory",), code="invalid")
    return directory


def _is_too_long(path: bytes) -> bool:
    return len(path) > LONGEST_BYTES or any(len(name) > LONGEST_NAME_BYTES for name in path.split(b"/"))


def _decoded(value: str) -> str:
    """Percent-decoded once, or as it is when it cannot be: clients encode the header, some encode the query twice."""
    if "%" not in value or _STRAY_PERCENT.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value
