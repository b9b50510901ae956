"""The API document as a page that needs nothing from anywhere else."""

import re
from importlib.resources import files

_QUALITY = re.compile(r";\s*q=([0-9.]+)")
PLACEHOLDER = b"__DOCUMENT__"


def wants_page(accept: str) -> bool:
    """Whether HTML is preferred to JSON, as browsers do."""
    return _preference(accept, "text/html") > _preference(accept, "application/json")


def viewer_page(document: bytes) -> bytes:
    """The page with the document inside."""
    page = files("opencode.http").joinpath("viewer.html").read_bytes()
    # "</" would end the script element that holds the document.
    return page.replace(PLACEHOLDER, document.replace(b"</", b"<\\/"))


def _preference(accept: str, kind: str) -> float:
    for entry in accept.split(","):
        if entry.strip().lower().startswith(kind):
            found = _QUALITY.search(entry)
            return float(found[1]) if found else 1.0
    return 0.0
