"""Which media a model can be given, and what it is told about the rest (spec: messages, sections 4.3 and 4.5)."""

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
    if kind is None or getattr(model.capabilities.input, kind):
        return file
    name = f'"{file.filename}"' if file.filename else kind
    return TextContent(text=f"ERROR: Cannot read {name} (this model does not support {kind} input). Inform the user.")


def placeholder(file: FileContent) -> TextContent:
    """Stands for a file where only text is wanted."""
    return TextContent(text=f"[Attached {file.mime}: {file.filename or 'file'}]")


def has_payload(url: str) -> bool:
    """Whether it is a ``data:`` URL whose data can be sent along."""
    return url.startswith("data:") and "," in url


def _kind(mime: str) -> str | None:
    if mime == "application/pdf":
        return "pdf"
    family = mime.partition("/")[0]
    return family if family in _KINDS else None


def _is_empty(url: str) -> bool:
    return url.startswith("data:") and not url.partition(",")[2].strip()
