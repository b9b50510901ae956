"""The agent loop: build a request, stream the answer, run its tools, repeat (spec: prompt loop, section 5)."""

from opencode.agent.schema import Agent
from opencode.core.errors import NamedError
from opencode.core.ids import SessionID
from opencode.core.tasks import BackgroundJobs
from opencode.core.wire import UNSET
from opencode.loop.run_state import Run
from opencode.loop.status import SessionStatuses
from opencode.loop.step import Abilities, StepRunner
from opencode.loop.title import TitleMaker
from opencode.loop.turn import Turn, turn_of
from opencode.loop.turn_summary import TurnSummaries
from opencode.provider.schema import Model
from opencode.session.changes import EndRun, StartRun, Tell
from opencode.session.errors import SessionNotFound
from opencode.session.schema import MessageText, SessionErrored, UnknownError
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
        jobs: BackgroundJobs,
    ) -> None:
        self._store = store
        self._statuses = statuses
        self._abilities = abilities
        self._steps = steps
        self._titles = titles
        self._summaries = summaries
        self._jobs = jobs

    async def run(self, run: Run) -> None:
        """Loop until the newest prompt is answered, refused or failed."""
        session_id = run.session_id
        await self._store.commit(StartRun(session_id, "loop"))
        step, goes_on = 0, True
        while goes_on or run.prompted:
            await self._store.commit(self._statuses.busy(session_id))
            run.prompted = False  # whatever was asked until here is in the history read next
            turn = turn_of(self._store.history(session_id))
            if turn is None or turn.is_answered:
                goes_on = False
            else:
                step += 1
                goes_on = await self._step(session_id, turn, step)

    async def settle(self, run: Run) -> bytes:
        """The session rests again; gives its newest answer (its newest message if it has no answer)."""
        await self._store.commit(EndRun(run.session_id), *self._statuses.idle(run.session_id))
        history = await self._store.page(run.session_id, 1, None)
        newest = self._store.newest_answer_json(run.session_id)
        return newest if newest is not None else history.body[1:-1]

    async def _step(self, session_id: SessionID, turn: Turn, step: int) -> bool:
        session = self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        agent, model = await self._who_answers(session_id, turn)
        message = await self._steps.begin(turn, agent)
        if step == 1:
            self._jobs.start(f"title {session_id}", lambda: self._titles.name(session_id, turn.history, model))
            await self._summaries.update(session_id, turn.user.id)
        result = await self._steps.run(session, turn, message, agent, model, step)
        if result.message.finish is not UNSET:
            await self._summaries.update(session_id, turn.user.id)
        return result.goes_on

    async def _who_answers(self, session_id: SessionID, turn: Turn) -> tuple[Agent, Model]:
        wanted = turn.user.model
        try:
            model = self._abilities.providers.model(wanted.provider_id, wanted.model_id)
            return self._abilities.agents.get(turn.user.agent), model
        except NamedError as error:
            problem = UnknownError(data=MessageText(message=error.message))
            await self._store.commit(Tell(SessionErrored(session_id=session_id, error=problem)))
            raise
