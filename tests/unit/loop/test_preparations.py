"""What is done for prompts before they are stored, and how an abort stops it."""

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import SessionID
from opencode.loop.preparations import Preparations
from opencode.session.errors import PromptAborted

MINE, OTHER = SessionID("ses_1"), SessionID("ses_2")


class Work:
    """Something that takes for ever, and how it ended."""

    def __init__(self, preparations: Preparations, session: SessionID) -> None:
        self._preparations = preparations
        self._session = session
        self.began = anyio.Event()
        self.ended = ""

    async def run(self) -> None:
        try:
            with self._preparations.begun(self._session):
                self.began.set()
                await anyio.sleep_forever()
        except PromptAborted:
            self.ended = "aborted"


async def test_an_abort_stops_all_that_is_done_for_its_session_and_nothing_else() -> None:
    preparations = Preparations()
    works = [Work(preparations, session) for session in (MINE, MINE, OTHER)]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for work in works:
                tasks.start_soon(work.run)
                await work.began.wait()
            await preparations.cancel(MINE)
            await anyio.wait_all_tasks_blocked()
            assert [work.ended for work in works] == ["aborted", "aborted", ""]
            await preparations.cancel(OTHER)
    assert works[-1].ended == "aborted"


async def test_what_is_done_is_done() -> None:
    preparations = Preparations()
    with preparations.begun(MINE):
        pass
    with pytest.raises(ValueError, match="fault"), preparations.begun(MINE):
        raise ValueError("fault")
    with anyio.fail_after(10):
        await preparations.cancel(MINE)
    with preparations.begun(MINE):
        await anyio.lowlevel.checkpoint()
