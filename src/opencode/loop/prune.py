"""Hides old tool outputs from the model; clients still see them (spec: compaction, section 8)."""

from collections.abc import Sequence

from opencode.config.schema import CompactionConfig
from opencode.core.clock import Clock
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.session.changes import PutPart
from opencode.session.schema import AssistantMessage, MessageWithParts, ToolPart, ToolStateCompleted, UserMessage
from opencode.session.store import SessionStore

PROTECTED_TURNS = 2
PROTECTED_TOKENS = 40_000
WORTHWHILE_TOKENS = 20_000
NEVER = ("skill",)


class Pruner:
    """Prunes sessions that have come to rest, unless the configuration says not to."""

    def __init__(self, store: SessionStore, clock: Clock, config: CompactionConfig | UnsetType) -> None:
        self._store = store
        self._clock = clock
        self._is_on = config is UNSET or config.prune is not False

    async def prune(self, session_id: SessionID) -> None:
        """Mark what the model can do without. Publishes ``message.part.updated`` for each."""
        parts = prunable(self._store.recent_history(session_id)) if self._is_on else []
        if parts:
            now = self._clock.now_ms()
            await self._store.commit(*[PutPart(pruned_part(part, now)) for part in parts])


def prunable(history: Sequence[MessageWithParts]) -> list[ToolPart]:
    """The finished calls whose output the model can do without; none unless it is worth it.

    The last two turns and the newest 40,000 tokens of outputs stay; so does everything before an earlier pruning
    or a summary.
    """
    turns, total, pruned = 0, 0, 0
    found: list[ToolPart] = []
    for message in reversed(history):
        if isinstance(message.info, UserMessage):
            turns += 1
        if turns < PROTECTED_TURNS:
            continue
        if isinstance(message.info, AssistantMessage) and message.info.summary is True:
            break
        for part in reversed(message.parts):
            if not isinstance(part, ToolPart) or not isinstance(part.state, ToolStateCompleted) or part.tool in NEVER:
                continue
            if part.state.time.compacted is not UNSET:
                return found if pruned > WORTHWHILE_TOKENS else []
            estimate = round(len(part.state.output) / 4)
            total += estimate
            if total > PROTECTED_TOKENS:
                pruned += estimate
                found.append(part)
    return found if pruned > WORTHWHILE_TOKENS else []


def pruned_part(part: ToolPart, now_ms: int) -> ToolPart:
    """The call with its output marked as hidden."""
    state = part.state
    if not isinstance(state, ToolStateCompleted):
        return part
    return replace(part, state=replace(state, time=replace(state.time, compacted=now_ms)))
