"""How a question ends without an answer, and the one way a reply can be wrong."""

from opencode.core.errors import NotFound
from opencode.core.rejection import Rejected


class QuestionRejected(Rejected):
    """The person dismissed the questions."""

    stops_turn = True

    def __init__(self) -> None:
        super().__init__("The user dismissed this question")


class QuestionRequestNotFound(NotFound):
    """No question of this id waits: it was settled already, or never asked."""

    tag = "QuestionNotFoundError"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Question request not found: {request_id}", requestID=request_id)
