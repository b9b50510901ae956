"""Which media a model can be given, and what it is told about the rest (spec: messages, sections 4.3 and 4.5)."""

from base64 import b64decode
from urllib.parse import unquote_to_bytes

from opencode.core.wire import UNSET
from opencode.provider.request import FileContent, TextContent
from opencode.provider.schema import Model
from opencode.session.schema import FilePart

_IN_RESULTS = {
    "@ai-sdk/anthropic",
    "@ai-sdk/openai",
    "@ai-sdk/google-vertex/anthropic",
    "@ai-sdk/amazon-bedrock/mantle",
}
_BEDROCK_FAMILIES = ("anthropic.", "nova", "llama4", "llama-4")
_KINDS = ("image", "audio", "video")
SHOWN_CHARACTERS = 256 * 1024
"""How much of a URL with the text of a file a model is shown; base64 comes in groups of four."""


def is_media(part: FilePart) -> bool:
    """Whether the file goes to the model as such; text files and directories are there as text already."""
    return part.mime not in ("text/plain", "application/x-directory")


def file_content(part: FilePart) -> FileContent:
    """A stored file as the model gets it."""
    return FileContent(mime=part.mime, url=part.url, filename=None if part.filename is UNSET else part.filename)


def fits_in_tool_result(mime: str, model: Model) -> bool:
    """Whether the wire of this model takes such a file inside a tool result."""
    package, name, is_image = model.api.npm, model.api.id.lower(), mime.startswith("image/")
    if package in _IN_RESULTS:
        return True
    if package == "@ai-sdk/amazon-bedrock":
        return is_image and any(family in name for family in _BEDROCK_FAMILIES)
    if package == "@ai-sdk/xai":
        return is_image
    return package == "@ai-sdk/google" and "gemini-3" in name and "gemini-2" not in name


def moves_to_user_turn(mime: str) -> bool:
    """Whether a file that does not fit into a result is shown after it, as if the user had sent it."""
    return mime.startswith("image/") or mime == "application/pdf"


def readable_or_note(file: FileContent, model: Model) -> FileContent | TextContent:
    """The file, or what to tell a model that cannot read it."""
    kind = _kind(file.mime)
    if file.mime.startswith("image/") and _is_empty(file.url):
        return TextContent(text="ERROR: Image file is empty or corrupted. Inform the user.")
    if kind is None:
        return _as_text(file)
    if getattr(model.capabilities.input, kind):
        return file
    name = f'"{file.filename}"' if file.filename else kind
    return TextContent(text=f"ERROR: Cannot read {name} (this model does not support {kind} input). Inform the user.")


def placeholder(file: FileContent) -> TextContent:
    """Stands for a file where only text is wanted."""
    return TextContent(text=f"[Attached {file.mime}: {file.filename or 'file'}]")


def has_payload(url: str) -> bool:
    """Whether it is a ``data:`` URL whose data can be sent along."""
    return url.startswith("data:") and "," in url


def _as_text(file: FileContent) -> TextContent:
    """A file that no wire has a place for: the text in it. A provider would refuse the session for the file itself."""
    name = f'"{file.filename}"' if file.filename else "a file"
    text = _text_in(file.url)
    if text is None:
        return TextContent(text=f"ERROR: Cannot read {name} (no model takes {file.mime} files). Inform the user.")
    return TextContent(text=f"Contents of {name} ({file.mime}):\n{text}")


def _text_in(url: str) -> str | None:
    """The text of a ``data:`` URL, cut where it is long; None where there is none."""
    head, comma, payload = url.partition(",")
    if not (head.startswith("data:") and comma):
        return None
    shown = payload[:SHOWN_CHARACTERS]
    try:
        data = b64decode(shown) if head.endswith(";base64") else unquote_to_bytes(shown)
        text = data.decode("utf-8", "strict" if shown == payload else "ignore")
    except ValueError:
        return None
    if "\0" in text:
        return None
    return text if shown == payload else f"{text}\n[The rest of the file is left out.]"


def _kind(mime: str) -> str | None:
    if mime == "application/pdf":
        return "pdf"
    family = mime.partition("/")[0]
    return family if family in _KINDS else None


def _is_empty(url: str) -> bool:
    return url.startswith("data:") and not url.partition(",")[2].strip()
