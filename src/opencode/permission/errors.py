"""The ways a permission is refused, and the one way a reply can be wrong."""

from collections.abc import Sequence

from opencode.core.errors import NotFound
from opencode.core.rejection import Rejected
from opencode.core.wire import encode
from opencode.permission.schema import PermissionRule

__all__ = ["PermissionCorrected", "PermissionDenied", "PermissionRejected", "PermissionRequestNotFound", "Rejected"]


class PermissionDenied(Rejected):
    """A rule says deny. ``rules``: those about this permission, in order."""

    def __init__(self, rules: Sequence[PermissionRule]) -> None:
        super().__init__(
            "The user has specified a rule which prevents you from using this specific tool call."
            f" Here are some of the relevant rules {encode(rules).decode()}"
        )
        self.rules = list(rules)


class PermissionRejected(Rejected):
    """A person said no, without a word."""

    stops_turn = True

    def __init__(self) -> None:
        super().__init__("The user rejected permission to use this specific tool call.")


class PermissionCorrected(Rejected):
    """A person said no, and what to do instead."""

    def __init__(self, feedback: str) -> None:
        super().__init__(
            f"The user rejected permission to use this specific tool call with the following feedback: {feedback}"
        )
        self.feedback = feedback


class PermissionRequestNotFound(NotFound):
    """No ask of this id waits: it was settled already, or never made."""

    tag = "PermissionNotFoundError"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Permission request not found: {request_id}", requestID=request_id)
