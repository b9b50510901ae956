"""What all tools share: arguments are checked before, outputs cut and images shrunk after (spec: tools core, 1)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from opencode.core.wire import replace
from opencode.permission.ruleset import evaluate, permission_of
from opencode.permission.schema import PermissionRule
from opencode.provider.request import ToolDefinition
from opencode.tool.arguments import check_arguments, parameters_schema
from opencode.tool.images import ImageLimits, ImageTooLarge, fitted_image
from opencode.tool.tool import Tool, ToolContext, ToolResult
from opencode.tool.truncate import OutputTruncator

PARTIAL_RESULT = "partial_result"
"""Where a tool that is cancelled leaves, in ``context.extra``, what it has so far as a ``ToolResult``, or what to say
as a ``ToolError``."""


@runtime_checkable
class DescribesForRules(Protocol):
    """A tool whose description depends on what the calling agent may do."""

    def describe(self, rules: Sequence[PermissionRule]) -> str:
        """The description for an agent of these rules."""
        ...


class WrappedTool:
    """A tool as the loop calls it: with the model's raw arguments, under the rules of the calling agent."""

    def __init__(
        self,
        tool: Tool[Any],
        truncator: OutputTruncator,
        rules: Sequence[PermissionRule] = (),
        images: ImageLimits | None = None,
    ) -> None:
        self._tool = tool
        self._truncator = truncator
        self._rules = rules
        self._images = images

    @property
    def id(self) -> str:
        """The name by which the model calls it."""
        return self._tool.id

    @property
    def permission(self) -> str:
        """The permission that decides whether it is offered."""
        return self._tool.permission or permission_of(self._tool.id)

    @property
    def definition(self) -> ToolDefinition:
        """The tool as the model sees it."""
        tool = self._tool
        description = tool.description if self.describes is None else self.describes.describe(self._rules)
        return ToolDefinition(name=tool.id, description=description, parameters=self.parameters)

    def limit_seconds(self, given: Mapping[str, Any]) -> float | None:
        """How long a call with these arguments may take; None: as long as it needs."""
        return self._tool.limit_seconds(given)

    @cached_property
    def describes(self) -> DescribesForRules | None:
        """The tool, if its description depends on the rules; found out once."""
        return self._tool if isinstance(self._tool, DescribesForRules) else None

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of its arguments; made once."""
        return parameters_schema(self._tool.params)

    def under(self, rules: Sequence[PermissionRule]) -> "WrappedTool":
        """The same tool for an agent of these rules."""
        tool = WrappedTool(self._tool, self._truncator, rules, self._images)
        tool.parameters, tool.describes = self.parameters, self.describes
        return tool

    async def call(self, arguments: Any, context: ToolContext) -> ToolResult:
        """Run it. ``metadata.truncated`` tells whether the output was cut, ``outputPath`` where the whole of it is.

        Raises ``ToolError`` for arguments that do not fit, and whatever the tool raises.
        """
        params = check_arguments(self._tool.id, self._tool.params, arguments)
        result = await self._with_fitting_images(await self._tool.run(params, context))
        if "truncated" in result.metadata:
            return result
        cut = await self._truncator.truncate(result.output, may_delegate=self._may_delegate())
        metadata = {**result.metadata, "truncated": cut.path is not None}
        if cut.path is not None:
            metadata["outputPath"] = str(cut.path)
        return replace(result, output=cut.text, metadata=metadata)

    async def _with_fitting_images(self, result: ToolResult) -> ToolResult:
        """Attached images as small as the model may get them; one that cannot be is left out, with a note."""
        if self._images is None or not result.attachments:
            return result
        output, attachments = result.output, []
        for file in result.attachments:
            try:
                mime, url = await fitted_image(file.mime, file.url, self._images)
            except ImageTooLarge as error:
                output += f"\n\n[The image {file.filename or ''} was left out: {error}]"
            else:
                attachments.append(replace(file, mime=mime, url=url))
        return replace(result, output=output, attachments=attachments)

    def _may_delegate(self) -> bool:
        return evaluate("task", "*", self._rules).action != "deny"
