"""``question``: ask the person (spec: tools core, section 11)."""

from typing import Annotated, Protocol

from msgspec import Meta

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.question.schema import QuestionAnswers, QuestionInfo, QuestionOption, QuestionTool
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolResult


class Asker(Protocol):
    """Puts questions to a person; ``QuestionService`` is one."""

    async def ask(
        self, session_id: SessionID, questions: list[QuestionInfo], tool: QuestionTool | None = None
    ) -> QuestionAnswers:
        """The answers. Raises ``QuestionRejected``."""
        ...


class OptionParam(Wire):
    """One choice."""

    label: Annotated[str, Meta(description="What is shown to choose, 1 to 5 words.")]
    description: Annotated[str, Meta(description="What choosing it means.")]


class QuestionParam(Wire):
    """One question."""

    question: Annotated[str, Meta(description="The whole question.")]
    header: Annotated[str, Meta(description="A label of at most 30 characters.")]
    options: Annotated[list[OptionParam], Meta(description="What can be chosen.")]
    multiple: Annotated[bool, Meta(description="Whether several may be chosen.")] | UnsetType = UNSET


class QuestionParams(Wire):
    """Arguments of ``question``."""

    questions: Annotated[list[QuestionParam], Meta(description="The questions to ask, together.")]


class AskTool(Tool[QuestionParams]):
    """``question``: waits until the person answers. Raises ``QuestionRejected`` when they dismiss it."""

    id = "question"
    params = QuestionParams

    def __init__(self, asker: Asker) -> None:
        self.description = prompt_text("opencode.tool.builtin", "question.md")
        self._asker = asker

    async def run(self, params: QuestionParams, context: ToolContext) -> ToolResult:
        questions = [_info(question) for question in params.questions]
        tool = QuestionTool(message_id=context.message_id, call_id=context.call_id)
        return question_result(questions, await self._asker.ask(context.session_id, questions, tool))


def question_result(questions: list[QuestionInfo], answers: QuestionAnswers) -> ToolResult:
    """What the model is told of the answers."""
    return ToolResult(
        title=f"Asked {len(questions)} question{'' if len(questions) == 1 else 's'}",
        output=(
            f"User has answered your questions: {answered(questions, answers)}."
            " You can now continue with the user's answers in mind."
        ),
        metadata={"answers": answers},
    )


def answered(questions: list[QuestionInfo], answers: QuestionAnswers) -> str:
    """``"question"="answer, answer"`` for each question, in order."""
    pairs = []
    for index, question in enumerate(questions):
        chosen = answers[index] if index < len(answers) else []
        pairs.append(f'"{question.question}"="{", ".join(chosen) or "Unanswered"}"')
    return ", ".join(pairs)


def _info(question: QuestionParam) -> QuestionInfo:
    return QuestionInfo(
        question=question.question,
        header=question.header,
        options=[QuestionOption(label=option.label, description=option.description) for option in question.options],
        multiple=question.multiple,
    )
