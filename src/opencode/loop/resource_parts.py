"""Resources of MCP servers in a prompt: their contents are read into it (spec: messages, section 3.3)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from opencode.core.log import Logger
from opencode.core.wire import set_or
from opencode.loop.input_parts import NO_ID, synthetic
from opencode.session.schema import FilePart, FilePartInput, Part, ResourceSource, UserMessage
from opencode.tool.tool import ToolError

log = Logger("session.prompt")

SHOWN_TYPES = ("application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp")
LARGEST_BLOB = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ResourceText:
    """Text of a resource."""

    text: str


@dataclass(frozen=True, slots=True)
class ResourceBlob:
    """Other contents. ``data``: base64."""

    mime: str
    data: str


ResourceContent = ResourceText | ResourceBlob
ReadResource = Callable[[str, str], Awaitable[Sequence[ResourceContent]]]
"""The contents of a resource, by the name of its server and its URI. Raises what keeps it from being read."""


async def no_resources(server: str, uri: str) -> Sequence[ResourceContent]:
    """Where no server is connected."""
    raise ToolError(f'no MCP server "{server}" is connected')


class ResourceParts:
    """What becomes of the resources in prompts."""

    def __init__(self, read: ReadResource = no_resources) -> None:
        self._read = read

    async def expand(self, message: UserMessage, part: FilePartInput, source: ResourceSource) -> list[Part]:
        """The parts to store. A resource that cannot be read becomes a note."""
        name = set_or(part.filename, source.uri)
        begun = synthetic(message, f"Reading MCP resource: {name} ({source.uri})")
        try:
            contents = await self._read(source.client_name, source.uri)
        except Exception as error:  # noqa: BLE001 - an edge: an unreadable resource must not lose the prompt
            log.warning("resource of a prompt not read", uri=source.uri, error=str(error))
            return [begun, synthetic(message, f"The MCP resource {name} could not be read: {error}")]
        return [begun, *(made for content in contents for made in _content(message, name, content))]


def _content(message: UserMessage, name: str, content: ResourceContent) -> list[Part]:
    if isinstance(content, ResourceText):
        return [synthetic(message, content.text)]
    if content.mime not in SHOWN_TYPES:
        return [synthetic(message, f"[Left out of {name}: files of type {content.mime} cannot be shown]")]
    if len(content.data) * 3 // 4 > LARGEST_BLOB:
        return [synthetic(message, f"[Left out of {name}: larger than {LARGEST_BLOB // 1024 // 1024} MiB]")]
    file = FilePart(
        id=NO_ID,
        session_id=message.session_id,
        message_id=message.id,
        mime=content.mime,
        filename=name,
        url=f"data:{content.mime};base64,{content.data}",
    )
    return [synthetic(message, f"[From {name}: a file of type {content.mime}]"), file]
