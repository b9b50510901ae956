"""``/question``: questions of the model that wait for a person."""

from typing import Annotated

from msgspec import Meta

from opencode.config.part import component
from opencode.core.ids import QuestionID
from opencode.core.wire import Wire
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.question.schema import QuestionRequest

QuestionAnswer = Annotated[list[str], Meta(extra_json_schema=component("QuestionAnswer"))]


class AnswersBody(Wire):
    """One list of answers per question, in order."""

    answers: list[QuestionAnswer]


@operation("question.list", "GET", "/question")
def list_questions(instance: Instance) -> list[QuestionRequest]:
    """Questions that wait, of all sessions of the instance."""
    return instance.questions.pending()


@operation("question.reply", "POST", "/question/{requestID}/reply", errors=("QuestionNotFoundError",))
async def reply(instance: Instance, request_id: QuestionID, body: AnswersBody) -> bool:
    """Answer the questions of a request."""
    await instance.questions.reply(request_id, body.answers)
    return True


@operation("question.reject", "POST", "/question/{requestID}/reject", errors=("BadRequest", "QuestionNotFoundError"))
async def reject(instance: Instance, request_id: QuestionID) -> bool:
    """Dismiss the questions of a request."""
    await instance.questions.reject(request_id)
    return True


operations = (list_questions, reply, reject)
