"""Operations under the names and in the shapes that older and unofficial documents give them."""

from typing import Any

import msgspec

from opencode.core.ids import MessageID, QuestionID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.frame import session_envelope
from opencode.event.schema import Event
from opencode.http.answer import Raw, Stream
from opencode.http.operation import operation
from opencode.http.sse import EventStream
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.question.schema import QuestionAnswers, QuestionRequest
from opencode.session.inputs import PromptInput
from opencode.session.schema import MessageWithParts

KNOWN = ("BadRequest", "NotFoundError")


class Choices(Wire):
    """The answer to one question."""

    choices: list[str]


class AnswerBody(Wire):
    """``answer``: to the only question, or a list with one for each; ``answers``: as ``question.reply`` has them."""

    answer: str | Choices | list[str | Choices] | UnsetType = UNSET
    answers: QuestionAnswers | UnsetType = UNSET


def answers_of(body: AnswerBody) -> QuestionAnswers:
    """One list of answers for each question. A list of mere texts are several choices of the only question."""
    match body.answer:
        case UnsetType():
            return [] if body.answers is UNSET else body.answers
        case str(text):
            return [[text]]
        case Choices(choices=choices):
            return [choices]
        case list(several) if all(isinstance(one, str) for one in several):
            return [[one for one in several if isinstance(one, str)]]
        case several:
            return [[one] if isinstance(one, str) else one.choices for one in several]


def flat_message(record: bytes) -> bytes:
    """``{info, parts}`` with what ``info`` holds at the top, too, and the arguments of calls as ``args``."""
    message: dict[str, Any] = msgspec.json.decode(record)
    parts = [{**part, "args": part["state"]["input"]} if part["type"] == "tool" else part for part in message["parts"]]
    return msgspec.json.encode({**message["info"], "info": message["info"], "parts": parts})


@operation(
    "seed.session.prompt",
    "POST",
    "/session/{sessionID}/prompt",
    source="seed",
    errors=(*KNOWN, "ConflictError"),
    slow=True,
)
async def prompt(instance: Instance, session_id: SessionID, body: PromptInput) -> Raw[MessageWithParts]:
    """The same as ``session.prompt``."""
    return Raw(await instance.prompts.prompt(session_id, body))


@operation("seed.session.event", "GET", "/session/{sessionID}/event", source="seed", errors=KNOWN)
def session_events(instance: Instance, shared: Shared, session_id: SessionID) -> Stream[Event]:
    """Events of one session, as they happen; ``payload`` repeats each."""
    instance.sessions.get_raw(session_id)
    return Stream(EventStream(shared.bus, str(instance.directory), envelope=session_envelope(session_id)))


@operation("seed.message.get", "GET", "/message/{messageID}", source="seed", errors=KNOWN)
async def get_message(instance: Instance, message_id: MessageID) -> Raw[dict[str, Any]]:
    """One message by its id alone: ``info`` and ``parts``, and what ``info`` holds beside them, too."""
    session_id = instance.sessions.session_of_message(message_id)
    return Raw(flat_message(await instance.prompts.message(session_id, message_id)))


@operation("seed.question.get", "GET", "/question/{requestID}", source="seed", errors=("QuestionNotFoundError",))
def get_question(instance: Instance, request_id: QuestionID) -> QuestionRequest:
    """One request that waits for answers."""
    return instance.questions.get(request_id)


@operation(
    "seed.question.answer", "POST", "/question/{requestID}/answer", source="seed", errors=("QuestionNotFoundError",)
)
async def answer_question(instance: Instance, request_id: QuestionID, body: AnswerBody) -> bool:
    """Answer the questions of a request."""
    await instance.questions.reply(request_id, answers_of(body))
    return True


operations = (prompt, session_events, get_message, get_question, answer_question)
