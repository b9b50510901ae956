"""How much may work in the background."""

from typing import Any, cast

import pytest

from opencode.core.ids import SessionID
from opencode.loop.background_tasks import BackgroundSubagents
from opencode.loop.subagent import Subagents
from opencode.session.inputs import PromptInput
from opencode.tool.tool import ToolError

ANYTHING = cast(Any, None)


async def notify(session: SessionID, prompt: PromptInput) -> None:
    raise AssertionError("nothing was started")


async def test_a_task_too_many_is_refused_before_it_begins() -> None:
    background = BackgroundSubagents(cast(Subagents, None), limit=0)
    async with background.served(notify):
        with pytest.raises(ToolError, match="No more than 0 tasks may work in the background"):
            await background.start(ANYTHING, ANYTHING)


async def test_nothing_begins_while_the_directory_closes() -> None:
    background = BackgroundSubagents(cast(Subagents, None))
    async with background.served(notify):
        pass
    with pytest.raises(ToolError):
        await background.start(ANYTHING, ANYTHING)
    await background.cancel(SessionID("ses_1"))
