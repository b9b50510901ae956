"""What a tool call meets when a person or a rule says no."""

from typing import ClassVar


class Rejected(Exception):
    """The call may not go on; the text is for the model and stands in the tool part.

    ``stops_turn``: nobody said what to do instead, so the run stops after this step unless the configuration says
    otherwise (spec: prompt loop, section 12). Clients tell the kinds apart by words in the texts.
    """

    stops_turn: ClassVar[bool] = False


class Unanswered(Rejected):
    """Nobody was there to answer, and the model shall go on without."""


class UnansweredFailure(Rejected):
    """Nobody was there to answer, and the turn ends with an error for it."""

    stops_turn = True
