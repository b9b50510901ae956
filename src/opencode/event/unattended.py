"""What happens to asks while no client is connected that could answer them."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from opencode.core.ids import SessionID
from opencode.core.rejection import Rejected, Unanswered, UnansweredFailure
from opencode.core.wire import UNSET, UnsetType
from opencode.event.schema import Event

UnattendedPolicy = Literal["wait", "deny", "fail"]


@dataclass(frozen=True, slots=True)
class Unattended:
    """``wait`` without limit, ``deny`` the ask and tell the model, or ``fail`` the turn.

    The last two apply when no event stream of the directory has been open for ``after_seconds`` on end.
    """

    policy: UnattendedPolicy = "wait"
    after_seconds: float = 60

    @property
    def has_deadline(self) -> bool:
        return self.policy != "wait"

    def deadline_ms(self, now_ms: int) -> int:
        """When an ask ends that nobody can answer from now on."""
        return now_ms + round(self.after_seconds * 1000)

    def refusal(self, what: str) -> Rejected:
        """What the call that asked ends with. ``what``: words that clients look for (spec: permissions, 3.6)."""
        nobody = f"{what}: nobody was connected who could answer, for {self.after_seconds:g} seconds."
        if self.policy == "fail":
            return UnansweredFailure(nobody)
        return Unanswered(f"{nobody} Go on without it, or say what is left to do and why.")


class Request(Protocol):
    """What a person is asked, as it is stored and sent."""

    @property
    def id(self) -> str: ...
    @property
    def session_id(self) -> SessionID: ...


class AskDeadlineChanged(Event):
    """A permission or question has got a deadline because nobody can answer it, or lost it because somebody can.

    Ours. ``deadline``: in ms; absent when it waits without limit again.
    """

    type: ClassVar[str] = "ask.deadline"
    durable: ClassVar[bool] = False
    session_id: SessionID
    request_id: str
    deadline: int | UnsetType = UNSET

    @classmethod
    def of(cls, request: Request, deadline_ms: int | None) -> "AskDeadlineChanged":
        """The event for a request."""
        deadline = UNSET if deadline_ms is None else deadline_ms
        return cls(session_id=request.session_id, request_id=request.id, deadline=deadline)
