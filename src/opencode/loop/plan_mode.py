"""Plan mode with files: the planner writes its plan to a file, and hands it over (spec: prompt loop, section 6).

On with ``OPENCODE_EXPERIMENTAL_PLAN_MODE``. Unlike those of ``loop/reminders.py``, these reminders are stored.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, SessionID
from opencode.core.wire import replace
from opencode.loop.part_ids import part_ids
from opencode.loop.prompt_text import prompt_text
from opencode.loop.reminders import BUILD_AGENT, PLAN_AGENT, newest_prompt
from opencode.session.changes import PutMessage, PutPart
from opencode.session.errors import SessionNotFound
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessageWithParts,
    Session,
    TextPart,
    UserMessage,
)
from opencode.session.store import SessionStore
from opencode.tool.tool import ToolError

THERE_IS_A_PLAN = "There is a plan in {path}: carry it out."
WITH_TOOL = (
    "When the plan is complete and nothing is open, call `plan_exit`: it asks the user for approval. Do not ask for "
    "approval in words. End each turn in one of two ways only: with a question to the user, or with `plan_exit`."
)
IN_WORDS = "When the plan is complete and nothing is open, say so; the user leaves plan mode to have it carried out."
APPROVED = "The user has approved the plan in {path}. You may change files now: carry the plan out."


class PlanMode:
    """The plans of one directory. Paths are shown relative to the worktree.

    ``has_tool``: the planner can hand its plan over by itself.
    """

    def __init__(
        self,
        store: SessionStore,
        ids: IdGenerator,
        clock: Clock,
        folder: Path,
        shown_from: Path,
        *,
        has_tool: bool,
    ) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._folder = folder
        self._shown_from = shown_from
        self._workflow = prompt_text("plan_workflow").replace("{hand_over}", WITH_TOOL if has_tool else IN_WORDS)
        self._build_switch = prompt_text("build_switch")

    def path(self, session: Session) -> Path:
        """The file for the plan of a session (spec: ids and storage)."""
        return self._folder / f"{session.time.created}-{session.slug}.md"

    # --- reminders ------------------------------------------------------------------------------------------------

    async def insert(self, session: Session, history: Sequence[MessageWithParts], agent: str) -> list[MessageWithParts]:
        """The history with a reminder on its newest prompt when planning begins or ends; it is stored there."""
        before = _newest_agent(history)
        if agent == PLAN_AGENT and before != PLAN_AGENT:
            return await self._reminded(history, await to_thread.run_sync(self._begin, self.path(session)))
        if agent != PLAN_AGENT and before == PLAN_AGENT:
            return await self._reminded(history, await to_thread.run_sync(self._end, self.path(session)))
        return list(history)

    def _begin(self, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        state = "exists already: change it step by step" if path.exists() else "does not exist yet: create it"
        return self._workflow.replace("{path}", str(path)).replace("{state}", state)

    def _end(self, path: Path) -> str:
        if not path.exists():
            return self._build_switch
        return f"{self._build_switch}\n{THERE_IS_A_PLAN.format(path=path)}"

    async def _reminded(self, history: Sequence[MessageWithParts], text: str) -> list[MessageWithParts]:
        at = newest_prompt(history)
        message = history[at]
        info = message.info
        assert isinstance(info, UserMessage)
        part = TextPart(**part_ids(self._ids, info), text=text, synthetic=True)
        await self._store.commit(PutPart(part))
        return [*history[:at], replace(message, parts=[*message.parts, part]), *history[at + 1 :]]

    # --- the tool -------------------------------------------------------------------------------------------------

    def shown_path(self, session_id: SessionID) -> str:
        """The file of a session's plan as people see it. Raises ``SessionNotFound``."""
        session = self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return os.path.relpath(self.path(session), self._shown_from)

    async def approve(self, session_id: SessionID) -> None:
        """Have the builder go on: the next prompt of the session is to carry the plan out."""
        prompts = (message.info for message in reversed(self._store.recent_history(session_id)))
        last = next((info for info in prompts if isinstance(info, UserMessage)), None)
        if last is None:
            raise ToolError("There is no prompt to go on from")
        message = UserMessage(
            id=self._ids.message(after=self._store.newest_message_id(session_id)),
            session_id=session_id,
            time=CreatedTime(created=self._clock.now_ms()),
            agent=BUILD_AGENT,
            model=last.model,
            variant=last.variant,
        )
        text = APPROVED.format(path=self.shown_path(session_id))
        part = TextPart(**part_ids(self._ids, message), text=text, synthetic=True)
        await self._store.commit(PutMessage(message), PutPart(part))


def _newest_agent(history: Sequence[MessageWithParts]) -> str | None:
    answers = (message.info for message in reversed(history) if isinstance(message.info, AssistantMessage))
    newest = next(answers, None)
    return None if newest is None else newest.agent
