"""The parts of a prompt become stored parts; files are read into the prompt (spec: messages, section 3)."""

from collections.abc import Sequence

from opencode.core.ids import IdGenerator
from opencode.core.wire import replace, set_or
from opencode.loop.file_parts import FileParts
from opencode.loop.input_parts import stored, synthetic
from opencode.loop.resource_parts import ResourceParts
from opencode.permission.ruleset import evaluate
from opencode.permission.schema import PermissionRule
from opencode.session.schema import (
    AgentPart,
    AgentPartInput,
    FilePart,
    FilePartInput,
    Part,
    PartInput,
    ResourceSource,
    SubtaskPart,
    SubtaskPartInput,
    TextPart,
    TextPartInput,
    UserMessage,
)
from opencode.tool.images import ImageLimits, ImageTooLarge, fitted_image


class PartExpander:
    """Turns input parts into stored parts, in input order, with ids that ascend in that order."""

    def __init__(
        self, ids: IdGenerator, files: FileParts, resources: ResourceParts, images: ImageLimits | None = None
    ) -> None:
        self._ids = ids
        self._files = files
        self._resources = resources
        self._images = images

    async def expand(
        self, message: UserMessage, parts: list[PartInput], rules: Sequence[PermissionRule] = ()
    ) -> list[Part]:
        """``rules``: those of the agent that will answer.

        Raises ``Invalid`` for a URL that cannot be understood; a file that cannot be read becomes a note.
        """
        made: list[Part] = []
        newest: str | None = None
        for part in parts:
            for one in await self._one(message, part, rules):
                # A client's own id stays; the server's follow whatever came before them.
                given = one.id or self._ids.part(after=newest)
                newest = max(newest or "", given)
                made.append(await self._fitting(message, replace(one, id=given)))
        return made

    async def _fitting(self, message: UserMessage, part: Part) -> Part:
        """An image as small as the model may get it; a note in its place when it cannot be."""
        if not isinstance(part, FilePart):
            return part
        try:
            mime, url = await fitted_image(part.mime, part.url, self._images)
        except ImageTooLarge as error:
            note = synthetic(message, f"The image {set_or(part.filename, '')} was left out: {error}")
            return replace(note, id=part.id)
        return replace(part, mime=mime, url=url)

    async def _one(self, message: UserMessage, part: PartInput, rules: Sequence[PermissionRule]) -> list[Part]:
        match part:
            case TextPartInput():
                return [stored(TextPart, message, part)]
            case AgentPartInput():
                return [stored(AgentPart, message, part), synthetic(message, _agent_note(part.name, rules))]
            case SubtaskPartInput():
                return [stored(SubtaskPart, message, part)]
            case FilePartInput(source=ResourceSource() as source):
                return await self._resources.expand(message, part, source)
            case FilePartInput():
                return await self._files.expand(message, part)


def _agent_note(name: str, rules: Sequence[PermissionRule]) -> str:
    note = f" Use the context above to write a prompt, and call the task tool with the subagent: {name}"
    if evaluate("task", name, rules).action == "deny":
        note += ". The user asked for this subagent: it exists and may be called, although it is not listed."
    return note
