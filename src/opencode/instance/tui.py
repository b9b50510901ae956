"""What steers a terminal interface that listens to the server: events, and one queue of requests to it.

Source: spec "TUI control".
"""

from collections import deque
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

import anyio
from msgspec import Meta

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event

LIMIT: Final = 100
"""Requests, and answers that nobody has asked for, that are kept."""
TOAST_MS: Final = 5_000

KNOWN_COMMANDS: Final = (
    *("session.list", "session.new", "session.share", "session.interrupt", "session.compact"),
    *("session.page.up", "session.page.down", "session.line.up", "session.line.down"),
    *("session.half.page.up", "session.half.page.down", "session.first", "session.last"),
    *("prompt.clear", "prompt.submit", "agent.cycle"),
)
OLDER_COMMANDS: Final = MappingProxyType(
    {
        **{name.replace(".", "_"): name for name in ("session.new", "session.share", "session.interrupt")},
        "session_compact": "session.compact",
        "agent_cycle": "agent.cycle",
        **{
            f"messages_{name.replace('.', '_')}": f"session.{name}"
            for name in ("page.up", "page.down", "line.up", "line.down", "half.page.up", "half.page.down")
        },
        "messages_first": "session.first",
        "messages_last": "session.last",
    }
)
"""What older clients call them."""

TuiCommand = Annotated[
    str, Meta(extra_json_schema={"anyOf": [{"type": "string", "enum": list(KNOWN_COMMANDS)}, {"type": "string"}]})
]


class TuiPromptAppend(Event):
    """Text for the prompt that is being written."""

    type: ClassVar[str] = "tui.prompt.append"
    durable: ClassVar[bool] = False

    text: str


class TuiCommandExecute(Event):
    """A command of the interface."""

    type: ClassVar[str] = "tui.command.execute"
    durable: ClassVar[bool] = False

    command: TuiCommand


class TuiToastShow(Event):
    """A short notice; ``duration`` in milliseconds."""

    type: ClassVar[str] = "tui.toast.show"
    durable: ClassVar[bool] = False

    title: str | UnsetType = UNSET
    message: str
    variant: Literal["info", "success", "warning", "error"]
    duration: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class TuiSessionSelect(Event):
    """A session to go to."""

    type: ClassVar[str] = "tui.session.select"
    durable: ClassVar[bool] = False

    session_id: SessionID


class TuiRequest(Wire):
    """Something that an interface is to do, and to answer."""

    path: str
    body: Any


class TuiControl:
    """Requests to interfaces and their answers, strictly one after the other: an answer does not say to what."""

    def __init__(self) -> None:
        self._requests: deque[TuiRequest] = deque()
        self._answers: deque[Any] = deque(maxlen=LIMIT)
        self._changed = anyio.Condition()
        self._turn = anyio.CapacityLimiter(1)

    async def call(self, path: str, body: Any) -> Any:
        """Ask whichever interface comes next, and wait for its answer. Who waits may be cancelled."""
        async with self._turn:
            request = TuiRequest(path=path, body=body)
            async with self._changed:
                self._answers.clear()  # to what was asked before
                self._requests.append(request)
                self._changed.notify_all()
                try:
                    while not self._answers:
                        await self._changed.wait()
                except BaseException:
                    if request in self._requests:
                        self._requests.remove(request)
                    raise
                return self._answers.popleft()

    async def next(self) -> TuiRequest:
        """The oldest request that no interface has taken. Source: operation ``tui.control.next``."""
        async with self._changed:
            while not self._requests:
                await self._changed.wait()
            return self._requests.popleft()

    async def answer(self, body: Any) -> None:
        """Give an answer to whoever waits for one. Source: operation ``tui.control.response``."""
        async with self._changed:
            self._answers.append(body)
            self._changed.notify_all()
