"""``plan_exit``: ask whether the plan is to be carried out (spec: tools core, section 13)."""

from typing import Protocol

from opencode.core.ids import SessionID
from opencode.core.wire import Wire
from opencode.question.errors import QuestionRejected
from opencode.question.schema import QuestionInfo, QuestionOption, QuestionTool
from opencode.tool.builtin.question import Asker
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolResult

YES, NO = "Yes", "No"


class Plans(Protocol):
    """The plan of each session; ``PlanMode`` is one."""

    def shown_path(self, session_id: SessionID) -> str:
        """The file of a session's plan as people see it."""
        ...

    async def approve(self, session_id: SessionID) -> None:
        """Have the builder go on."""
        ...


class PlanExitParams(Wire):
    """``plan_exit`` takes no arguments."""


class PlanExitTool(Tool[PlanExitParams]):
    """``plan_exit``: hands over to the builder. Raises ``QuestionRejected`` when the person does not agree."""

    id = "plan_exit"
    params = PlanExitParams

    def __init__(self, asker: Asker, plans: Plans) -> None:
        self.description = prompt_text("opencode.tool.builtin", "plan_exit.md")
        self._asker = asker
        self._plans = plans

    async def run(self, params: PlanExitParams, context: ToolContext) -> ToolResult:
        question = QuestionInfo(
            question=f"The plan in {self._plans.shown_path(context.session_id)} is complete. Start building it?",
            header="Build Agent",
            options=[
                QuestionOption(label=YES, description="The build agent carries the plan out"),
                QuestionOption(label=NO, description="Stay in plan mode and go on with the plan"),
            ],
            custom=False,
        )
        tool = QuestionTool(message_id=context.message_id, call_id=context.call_id)
        if await self._asker.ask(context.session_id, [question], tool) != [[YES]]:
            raise QuestionRejected
        await self._plans.approve(context.session_id)
        return ToolResult(
            title="Switching to build agent", output="The user approved the plan. The build agent goes on."
        )
