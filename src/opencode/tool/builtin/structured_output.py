"""``StructuredOutput``: takes the object that a prompt asks for (spec: prompt loop, section 5.1)."""

from typing import Any

from opencode.core.json_schema import JsonSchema
from opencode.provider.request import ToolDefinition
from opencode.tool.description import prompt_text
from opencode.tool.tool import ToolContext, ToolError, ToolResult

STRUCTURED_OUTPUT = "StructuredOutput"


class StructuredOutputTool:
    """The tool of one prompt: its parameters are the schema that the prompt brought.

    No ``Tool``: nothing about it is known before the prompt comes, and no rules decide whether it is offered.
    """

    id = STRUCTURED_OUTPUT

    def __init__(self, schema: dict[str, Any]) -> None:
        """Raises ``SchemaInvalid``."""
        self._schema = JsonSchema(schema)
        self.definition = ToolDefinition(
            name=self.id,
            description=prompt_text("opencode.tool.builtin", "structured_output.md"),
            parameters={"type": "object", **{name: value for name, value in schema.items() if name != "$schema"}},
        )

    async def call(self, arguments: Any, context: ToolContext) -> ToolResult:
        """Accept the object. Raises ``ToolError`` that says what is wrong with it and where."""
        faults = self._schema.faults(arguments)
        if faults:
            raise ToolError("\n".join(["The object does not fit the schema:", *(f"- {fault}" for fault in faults)]))
        return ToolResult(
            title="Structured Output",
            output="Structured output captured successfully.",
            metadata={"valid": True},
        )
