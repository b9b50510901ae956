"""A session's history, copied into a new session (spec: ids and storage, section 4.2)."""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from opencode.core.ids import IdGenerator, MessageID, SessionID
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.session.changes import Change, PutMessage, PutPart
from opencode.session.inputs import CreateSession
from opencode.session.schema import AssistantMessage, CompactionPart, Message, MessageWithParts, Part, Session

_FORKED = re.compile(r"^(?P<title>.*) \(fork #(?P<number>\d+)\)$", re.DOTALL)


def fork_title(title: str) -> str:
    """``<title> (fork #1)``, or the next number for the title of a fork."""
    forked = _FORKED.match(title)
    return f"{title} (fork #1)" if forked is None else f"{forked['title']} (fork #{int(forked['number']) + 1})"


def fork_of(original: Session) -> CreateSession:
    """What the new session is made with: no parent, no rules."""
    return CreateSession(
        title=fork_title(original.title), metadata=deepcopy(original.metadata), workspace_id=original.workspace_id
    )


def before(history: Sequence[MessageWithParts], message_id: MessageID | UnsetType) -> Sequence[MessageWithParts]:
    """The messages before the named one; all of them when it is not named or not there."""
    cut = next((index for index, message in enumerate(history) if message.info.id == message_id), len(history))
    return history[:cut]


class HistoryCopy:
    """Copies messages one after another; what points to an earlier message points to its copy."""

    def __init__(self, session_id: SessionID, ids: IdGenerator) -> None:
        self._session_id = session_id
        self._ids = ids
        self._copied: dict[MessageID, MessageID] = {}

    def changes(self, message: MessageWithParts) -> Iterator[Change]:
        """The copy of one message, then those of its parts."""
        info = self._message(message.info)
        yield PutMessage(info)
        for part in message.parts:
            yield PutPart(self._part(part, info.id))

    def _message(self, info: Message) -> Message:
        copied = self._copied[info.id] = self._ids.message()
        if isinstance(info, AssistantMessage):
            parent_id = self._copied.get(info.parent_id, info.parent_id)
            return replace(info, id=copied, session_id=self._session_id, parent_id=parent_id)
        return replace(info, id=copied, session_id=self._session_id)

    def _part(self, part: Part, message_id: MessageID) -> Part:
        own = replace(part, id=self._ids.part(), session_id=self._session_id, message_id=message_id)
        if isinstance(own, CompactionPart) and own.tail_start_id is not UNSET:
            return replace(own, tail_start_id=self._copied.get(own.tail_start_id, own.tail_start_id))
        return own
