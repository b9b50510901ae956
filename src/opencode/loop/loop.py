"""The agent loop: build a request, stream the answer, run its tools, repeat (spec: prompt loop, section 5)."""

import anyio

from opencode.agent.schema import Agent
from opencode.core.errors import NamedError
from opencode.core.ids import MessageID, SessionID
from opencode.core.tasks import BackgroundJobs
from opencode.core.wire import UNSET
from opencode.loop.abilities import Abilities
from opencode.loop.compaction import Compaction, pending_marker
from opencode.loop.late_ends import LateEnds
from opencode.loop.processor import CLEANUP_SECONDS, IsFull
from opencode.loop.prune import Pruner
from opencode.loop.run_state import Run
from opencode.loop.status import SessionStatuses
from opencode.loop.step import StepRunner
from opencode.loop.subtask import pending_subtask
from opencode.loop.title import TitleMaker
from opencode.loop.turn import Turn, turn_of
from opencode.loop.turn_summary import TurnSummaries
from opencode.loop.visible_history import visible_history
from opencode.provider.schema import Model
from opencode.session.changes import EndRun, StartRun, Tell
from opencode.session.errors import SessionNotFound
from opencode.session.schema import AssistantMessage, MessageText, MessageWithParts, SessionErrored, UnknownError
from opencode.session.store import SessionStore


class AgentLoop:
    """Answers the newest prompt of a session, step by step, until nothing is left to answer."""

    def __init__(
        self,
        store: SessionStore,
        statuses: SessionStatuses,
        abilities: Abilities,
        steps: StepRunner,
        titles: TitleMaker,
        summaries: TurnSummaries,
        late_ends: LateEnds,
        compaction: Compaction,
        pruner: Pruner,
        jobs: BackgroundJobs,
    ) -> None:
        self._store = store
        self._statuses = statuses
        self._abilities = abilities
        self._steps = steps
        self._titles = titles
        self._summaries = summaries
        self._late_ends = late_ends
        self._compaction = compaction
        self._pruner = pruner
        self._jobs = jobs

    async def run(self, run: Run) -> None:
        """Loop until the newest prompt is answered, refused or failed."""
        session_id = run.session_id
        await self._late_ends.now(session_id)
        await self._store.commit(StartRun(session_id, "loop"))
        step, goes_on, over = 0, True, None
        while goes_on or run.prompted:
            await self._store.commit(self._statuses.busy(session_id))
            run.looked()
            turn = self._turn(run, over)
            if turn is None or not _is_open(turn):
                goes_on = False
                continue
            step += 1
            goes_on = await self._step(run, turn, step)
            if turn.user.id in run.refused:
                other = self._turn(run, over)
                goes_on = other is not None and _is_open(other)
            elif not goes_on:
                over = turn.user.id

    async def settle(self, run: Run) -> bytes:
        """The session rests again; gives its newest answer (its newest message if it has no answer).

        Raises ``SessionNotFound`` when it was deleted meanwhile.
        """
        self._steps.end_turn(run.session_id)
        await self._summaries.finish(run.session_id)
        await self._store.commit(EndRun(run.session_id), *self._statuses.idle(run.session_id))
        self._jobs.start(f"prune {run.session_id}", lambda: self._pruner.prune(run.session_id))
        newest = self._store.newest_answer_json(run.session_id)
        outcome = newest or (await self._store.page(run.session_id, 1, None)).body[1:-1]
        if not outcome:
            raise SessionNotFound(run.session_id)
        return outcome

    def _turn(self, run: Run, over: MessageID | None) -> Turn | None:
        """What to answer next. A prompt that nobody can answer is left out, and takes none of the others with it.

        ``over``: the prompt whose turn is over, answered or not, and with it those before.
        """
        history = visible_history(self._store.recent_history(run.session_id))
        if not run.refused:
            return turn_of(history)
        turn = turn_of([message for message in history if message.info.id not in run.refused])
        places = {message.info.id: place for place, message in enumerate(history)}
        first = min((places[prompt] for prompt in run.prompts if prompt in places), default=len(places))
        if over in places:
            first = max(first, places[over] + 1)
        return turn if turn is not None and places[turn.user.id] >= first else None

    async def _step(self, run: Run, turn: Turn, step: int) -> bool:
        session_id = run.session_id
        session = self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        try:
            agent, asked = await self._who_answers(session_id, turn)
            model = self._steps.model(session_id, asked)
        except NamedError as error:
            if turn.user.id not in run.prompts:
                raise
            run.refused[turn.user.id] = error
            return True
        if (subtask := pending_subtask(turn.history)) is not None:
            if step == 1:
                self._name(session_id, turn, model)
            await self._steps.run_subtask(turn, subtask, model)
            return True
        if (marker := pending_marker(turn.history)) is not None:
            is_done = await self._compaction.run(session, marker)
            self._summaries.begin(session_id, marker.info.id)
            return is_done
        if self._is_overdue(turn, model):
            await self._compaction.mark(turn.user, auto=True, overflow=False)
            return True
        message = await self._steps.begin(turn, agent, model)
        try:
            if step == 1:
                self._name(session_id, turn, model)
                self._summaries.begin(session_id, turn.user.id)
            result = await self._steps.run(session, turn, message, agent, model, asked, step, self._fullness)
        except BaseException as error:
            with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
                await self._steps.give_up(message, error)
            raise
        if result.message.finish is not UNSET:
            self._summaries.begin(session_id, turn.user.id)
        if result.is_full:
            await self._compaction.mark(turn.user, auto=True, overflow=result.message.finish is UNSET)
        return result.goes_on

    def _name(self, session_id: SessionID, turn: Turn, model: Model) -> None:
        self._jobs.start(f"title {session_id}", lambda: self._titles.name(session_id, turn.history, model))

    def _fullness(self, model: Model) -> IsFull | None:
        if not self._compaction.is_automatic():
            return None
        return lambda tokens: self._compaction.is_due(tokens, model)

    def _is_overdue(self, turn: Turn, model: Model) -> bool:
        """Whether the last answer left no room: it may come from another model or another configuration."""
        last = next((m.info for m in reversed(turn.history) if _is_finished(m)), None)
        if not isinstance(last, AssistantMessage) or last.summary is True:
            return False
        return self._compaction.is_due(last.tokens, model)

    async def _who_answers(self, session_id: SessionID, turn: Turn) -> tuple[Agent, Model]:
        wanted = turn.user.model
        try:
            model = self._abilities.providers.model(wanted.provider_id, wanted.model_id)
            return self._abilities.agents.get(turn.user.agent), model
        except NamedError as error:
            problem = UnknownError(data=MessageText(message=error.message))
            await self._store.commit(Tell(SessionErrored(session_id=session_id, error=problem)))
            raise


def _is_open(turn: Turn) -> bool:
    """Whether there is something left to do in it."""
    has_tasks = pending_subtask(turn.history) is not None or pending_marker(turn.history) is not None
    return has_tasks or not turn.is_answered


def _is_finished(message: MessageWithParts) -> bool:
    return isinstance(message.info, AssistantMessage) and message.info.finish is not UNSET
