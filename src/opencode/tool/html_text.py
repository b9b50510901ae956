"""Pages as markdown or plain text. Blocks: large pages take a while."""

import html
import re
from typing import Literal

_TITLE = re.compile(r"<title[^>]*>([^<]{1,500})</title\s*>", re.IGNORECASE)
_UNREADABLE = ["script", "style", "noscript", "iframe", "object", "embed"]
_DEEPEST = 500


def html_to_markdown(page: str) -> str:
    """The title, then the page with ``#`` headings, ``-`` bullets and fenced code."""
    return _converted(page, "markdown")


def html_to_text(page: str) -> str:
    """The title, then the words of the page."""
    return _converted(page, "plain")


def _converted(page: str, output_format: Literal["markdown", "plain"]) -> str:
    import html_to_markdown as converter  # slow to import: only where a page was fetched

    options = converter.ConversionOptions(
        bullets="-",
        extract_metadata=False,
        output_format=output_format,
        exclude_selectors=_UNREADABLE,
        max_depth=_DEEPEST,
    )
    body = (converter.convert(page, options).content or "").strip()
    title = _TITLE.search(page)
    heading = " ".join(html.unescape(title[1]).split()) if title else ""
    return "\n\n".join(text for text in (heading, body) if text)
