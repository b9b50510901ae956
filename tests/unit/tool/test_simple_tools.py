from typing import Any

from opencode.core.ids import SessionID
from opencode.core.wire import replace
from opencode.question.schema import QuestionAnswers, QuestionInfo, QuestionOption, QuestionTool
from opencode.session.schema import Todo
from opencode.tool.arguments import check_arguments
from opencode.tool.builtin.invalid import InvalidParams, InvalidTool
from opencode.tool.builtin.question import AskTool, QuestionParams
from opencode.tool.builtin.todoread import TodoReadParams, TodoReadTool
from opencode.tool.builtin.todowrite import TodoWriteParams, TodoWriteTool
from opencode.tool.tool import ToolContext, ToolResult

ONE = {"content": "one", "status": "in_progress", "priority": "high"}
TWO = {"content": "two", "status": "completed", "priority": "low"}


class Lists:
    """Task lists that number their items, as sessions do."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Todo]] = {}

    async def todos(self, session_id: SessionID) -> list[Todo]:
        return self.lists[session_id]

    async def set_todos(self, session_id: SessionID, todos: list[Todo]) -> None:
        self.lists[session_id] = [replace(todo, id=str(n)) for n, todo in enumerate(todos, start=1)]


class Person:
    """Answers questions, and remembers them."""

    def __init__(self, answers: QuestionAnswers) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    async def ask(self, session_id: SessionID, questions: list[QuestionInfo], tool: QuestionTool) -> QuestionAnswers:
        self.asked.append((session_id, questions, tool))
        return self.answers


async def test_writing_todos_replaces_the_list_and_counts_what_is_open(context: ToolContext, recorded: Any) -> None:
    lists = Lists()
    params = check_arguments("todowrite", TodoWriteParams, {"todos": [{**ONE, "id": "1"}, TWO]})
    result = await TodoWriteTool(lists).run(params, context)
    assert result == ToolResult(
        title="1 todos",
        output=(
            '[\n  {\n    "content": "one",\n    "status": "in_progress",\n    "priority": "high"\n  },\n'
            '  {\n    "content": "two",\n    "status": "completed",\n    "priority": "low"\n  }\n]'
        ),
        metadata={"todos": [ONE, TWO]},
    )
    assert recorded.asks == [{"permission": "todowrite", "patterns": ["*"], "always": ["*"], "metadata": {}}]
    assert await TodoReadTool(lists).run(TodoReadParams(), context) == result


async def test_answers_are_put_beside_their_questions(context: ToolContext) -> None:
    options = [{"label": "Red", "description": "Warm"}]
    questions = [
        {"question": "Which colour?", "header": "Colour", "options": options},
        {"question": "Which sizes?", "header": "Sizes", "options": options, "multiple": True},
        {"question": "When?", "header": "When", "options": []},
    ]
    person = Person([["Red"], ["S", "L"]])
    params = check_arguments("question", QuestionParams, {"questions": questions})
    result = await AskTool(person).run(params, context)
    assert result == ToolResult(
        title="Asked 3 questions",
        output=(
            'User has answered your questions: "Which colour?"="Red", "Which sizes?"="S, L", "When?"="Unanswered".'
            " You can now continue with the user's answers in mind."
        ),
        metadata={"answers": [["Red"], ["S", "L"]]},
    )
    [(session_id, asked, tool)] = person.asked
    assert (session_id, tool) == ("ses_1", QuestionTool(message_id=context.message_id, call_id="call_1"))
    assert asked[1] == QuestionInfo(
        question="Which sizes?",
        header="Sizes",
        options=[QuestionOption(label="Red", description="Warm")],
        multiple=True,
    )


async def test_a_faulty_call_is_explained_to_the_model(context: ToolContext) -> None:
    result = await InvalidTool().run(InvalidParams(tool="no_such_tool", error="There is no such tool."), context)
    assert (result.title, result.output) == (
        "Invalid Tool", "The arguments provided to the tool are invalid: There is no such tool.",
    )  # fmt: skip
