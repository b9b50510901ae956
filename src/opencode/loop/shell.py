"""A shell command that the user runs in a session, kept as a message (spec: prompt loop, section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.run_state import Run
from opencode.loop.status import SessionStatuses
from opencode.provider.schema import ModelRef
from opencode.session.changes import Change, EndRun, PutMessage, PutPart, StartRun
from opencode.session.inputs import ShellInput
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessagePath,
    MessageTime,
    PromptModel,
    StartTime,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateRunning,
    ToolTime,
    UserMessage,
)
from opencode.session.store import SessionStore
from opencode.tool.shell_run import run_shell

SHOWN_CHARACTERS = 50_000
"""What is shown of the output while the command runs: the end. Each showing is stored and told to every client."""
NOTE = "The following tool was executed by the user"
ABORTED = "\n\n<metadata>\nUser aborted the command\n</metadata>"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserShell:
    """Makes the runs of shell commands in one directory."""

    store: SessionStore
    statuses: SessionStatuses
    ids: IdGenerator
    clock: Clock
    directory: Path
    worktree: Path
    shell: str
    environ: Mapping[str, str]

    def command(self, session_id: SessionID, agent: str, model: ModelRef, wanted: ShellInput) -> "ShellCommand":
        """One command, to be driven as a run."""
        return ShellCommand(self, session_id, agent, model, wanted)


class ShellCommand:
    """One command: its messages, its tool part, its output so far."""

    def __init__(
        self, services: UserShell, session_id: SessionID, agent: str, model: ModelRef, wanted: ShellInput
    ) -> None:
        self._services = services
        self._command = wanted.command
        self._output = ""
        self._aborted = False
        newest = services.store.newest_message_id(session_id)
        now = services.clock.now_ms()
        self._user = UserMessage(
            id=services.ids.message(after=newest) if wanted.message_id is UNSET else wanted.message_id,
            session_id=session_id,
            time=CreatedTime(created=now),
            agent=agent,
            model=PromptModel(provider_id=model.provider_id, model_id=model.model_id),
        )
        self._message = AssistantMessage(
            id=services.ids.message(after=max(newest or "", self._user.id)),
            session_id=session_id,
            parent_id=self._user.id,
            mode=agent,
            agent=agent,
            path=MessagePath(cwd=str(services.directory), root=str(services.worktree)),
            time=MessageTime(created=now),
            model_id=model.model_id,
            provider_id=model.provider_id,
        )
        self._part = ToolPart(
            id=services.ids.part(),
            session_id=session_id,
            message_id=self._message.id,
            call_id=services.ids.call(),
            tool="bash",
            state=ToolStateRunning(input={"command": wanted.command}, time=StartTime(start=now)),
        )

    async def run(self, run: Run) -> None:
        """Store the messages, then run the command; abort ends it with what it printed so far.

        Of one that cannot be started, the output is the reason.
        """
        services = self._services
        note = TextPart(
            id=services.ids.part(),
            session_id=run.session_id,
            message_id=self._user.id,
            text=NOTE,
            synthetic=True,
        )
        await services.store.commit(
            StartRun(run.session_id, "shell"),
            services.statuses.busy(run.session_id),
            PutMessage(self._user),
            PutPart(note),
            PutMessage(self._message),
            PutPart(self._part),
        )
        try:
            await run_shell(
                self._command,
                shell=services.shell,
                cwd=services.directory,
                env=services.environ,
                on_output=self._show,
            )
        except OSError as error:
            self._output = f"The command could not be started: {error}"
        except anyio.get_cancelled_exc_class():
            self._aborted = True
            raise

    async def settle(self, run: Run) -> bytes:
        """Complete the message; the session rests unless a prompt waits."""
        services, state = self._services, self._part.state
        output = self._output + (ABORTED if self._aborted else "")
        start = state.time.start if isinstance(state, ToolStateRunning) else services.clock.now_ms()
        now = services.clock.now_ms()
        completed = ToolStateCompleted(
            input={"command": self._command},
            output=output,
            title="",
            metadata={"output": output},
            time=ToolTime(start=start, end=now),
        )
        self._part = replace(self._part, state=completed)
        self._message = replace(self._message, time=replace(self._message.time, completed=now))
        changes: list[Change] = [PutMessage(self._message), PutPart(self._part), EndRun(run.session_id)]
        if run.follower is None:
            changes += services.statuses.idle(run.session_id)
        await services.store.commit(*changes)
        return services.store.message_json(run.session_id, self._message.id) or b""

    async def _show(self, output: str) -> None:
        self._output = output
        state = self._part.state
        if isinstance(state, ToolStateRunning):
            self._part = replace(self._part, state=replace(state, metadata={"output": output[-SHOWN_CHARACTERS:]}))
            await self._services.store.commit(PutPart(self._part))
