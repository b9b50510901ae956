"""What may be spent on models, and the calls that would pass it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from opencode.core.clock import Clock, iso_utc
from opencode.core.ids import SessionID
from opencode.core.wire import Wire, encode
from opencode.event.schema import Event
from opencode.loop.usage import step_cost, token_counts
from opencode.provider.request import ModelRequest, ToolCallContent
from opencode.provider.stream import Usage
from opencode.session.changes import AddSpending
from opencode.session.schema import BudgetExceededErrorData, BudgetLimit, Number, Tokens
from opencode.session.store import SessionStore

CHARACTERS_OF_A_TOKEN = 4
"""About how many there are; what a call will really take is known only afterwards."""


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What the configuration allows; ``None``: anything."""

    session_usd: Number | None = None
    day_usd: Number | None = None
    session_tokens: Number | None = None


class BudgetState(Wire):
    """One limit, what it allows and what is spent: USD or tokens."""

    limit: BudgetLimit
    allowed: Number
    spent: Number


class BudgetExceeded(Event):
    """A call of a model was not made: it would pass what may be spent. Ours."""

    type: ClassVar[str] = "budget.exceeded"
    session_id: SessionID
    limit: BudgetLimit
    allowed: Number
    spent: Number


class BudgetSpent(Exception):
    """The next call would pass a limit."""

    def __init__(self, state: BudgetState, needs: Number) -> None:
        unit = "tokens" if state.limit == "session_tokens" else "USD"
        whose = "today" if state.limit == "day_usd" else "this session"
        self.state = state
        super().__init__(
            f"The budget for {whose} does not allow another call of the model: {_plain(state.spent)} of"
            f" {_plain(state.allowed)} {unit} are spent, and the call takes about {_plain(needs)} {unit} or more."
            f" Raise budget.{state.limit} in opencode.json to go on."
        )

    @property
    def data(self) -> BudgetExceededErrorData:
        """As it stands on the message."""
        state = self.state
        return BudgetExceededErrorData(message=str(self), limit=state.limit, allowed=state.allowed, spent=state.spent)


class Budgets:
    """Compares what is spent with what may be, in one directory.

    The totals are stored, so that they survive a restart; what subagents spend counts for the session at the root.
    """

    def __init__(self, store: SessionStore, clock: Clock, limits: BudgetLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    def states(self, session_id: SessionID) -> list[BudgetState]:
        """Every limit there is, as it stands for the session."""
        limits = self._limits
        if limits == BudgetLimits():
            return []
        spent = self._store.spending(session_id, self._today())
        return [
            *_state("session_usd", limits.session_usd, spent.session_usd),
            *_state("day_usd", limits.day_usd, spent.day_usd),
            *_state("session_tokens", limits.session_tokens, spent.session_tokens),
        ]

    def require(self, request: ModelRequest) -> None:
        """Raises ``BudgetSpent`` when the call would pass a limit, as far as that can be told beforehand.

        Counted is what is sent, at the lowest price it may have. Calls that are under way are not.
        """
        states = self.states(request.session_id)
        if not states:
            return
        tokens = rough_tokens(request)
        cost = request.model.cost
        usage = Usage(input=tokens, cache_read=tokens if 0 < cost.cache.read < cost.input else 0)
        usd = step_cost(usage, cost)
        for state in states:
            needs = tokens if state.limit == "session_tokens" else usd
            if needs and state.spent + needs > state.allowed:
                raise BudgetSpent(state, needs)

    def spent(self, session_id: SessionID, tokens: Tokens, usd: Number) -> list[AddSpending]:
        """The change that counts what a call has used; none where it used nothing."""
        everything = tokens.input + tokens.output + tokens.reasoning + tokens.cache.read + tokens.cache.write
        return [AddSpending(session_id, self._today(), usd, everything)] if everything or usd else []

    def usage(self, session_id: SessionID, usage: Usage, request: ModelRequest) -> list[AddSpending]:
        """The same for a call that no message tells of."""
        return self.spent(session_id, token_counts(usage), step_cost(usage, request.model.cost))

    def _today(self) -> str:
        return iso_utc(self._clock.now_ms())[:10]


def rough_tokens(request: ModelRequest) -> int:
    """About how many tokens the texts of a request are. Media do not count: nobody knows their price beforehand."""
    return sum(len(text) for text in _texts(request)) // CHARACTERS_OF_A_TOKEN


def _texts(request: ModelRequest) -> Iterator[str | bytes]:
    yield from request.system
    for tool in request.tools:
        yield tool.description
        yield encode(tool.parameters)
    for message in request.messages:
        for content in message.content:
            if isinstance(content, ToolCallContent):
                yield encode(content.input)
            else:
                yield getattr(content, "text", "") or getattr(content, "output", "")


def _state(limit: BudgetLimit, allowed: Number | None, spent: Number) -> Iterator[BudgetState]:
    if allowed is not None:
        yield BudgetState(limit=limit, allowed=allowed, spent=spent)


def _plain(amount: Number) -> str:
    return f"{amount:.6f}".rstrip("0").rstrip(".") if isinstance(amount, float) else str(amount)
