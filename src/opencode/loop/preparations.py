"""What is done for a session before its run can begin, such as the commands in a template: abort stops that too."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from opencode.core.ids import SessionID
from opencode.loop.run_state import ABORT_PATIENCE_SECONDS
from opencode.session.errors import PromptAborted


class _Preparation:
    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()


class Preparations:
    """The work that callers do for sessions, each in its own task."""

    def __init__(self) -> None:
        self._of: dict[SessionID, list[_Preparation]] = {}

    @contextmanager
    def begun(self, session_id: SessionID) -> Iterator[None]:
        """Do something that abort may stop. Raises ``PromptAborted`` when it did."""
        preparation = _Preparation()
        ours = self._of.setdefault(session_id, [])
        ours.append(preparation)
        try:
            with preparation.scope:
                yield
        finally:
            ours.remove(preparation)
            if not ours:
                self._of.pop(session_id, None)
            preparation.done.set()
        if preparation.scope.cancelled_caught:
            raise PromptAborted(session_id)

    async def cancel(self, session_id: SessionID) -> None:
        """Stop what is done for a session, and wait until it has stopped."""
        found = list(self._of.get(session_id, ()))
        for preparation in found:
            preparation.scope.cancel()
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS):
            for preparation in found:
                await preparation.done.wait()
