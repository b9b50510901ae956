"""``/tui``: steering a terminal interface that listens to the events of the directory."""

from typing import Any

from opencode.core.ids import SessionID
from opencode.core.wire import Wire, replace, set_or
from opencode.event.schema import Event
from opencode.http.operation import operation
from opencode.http.schema import TuiEvent
from opencode.instance.instance import Instance
from opencode.instance.shared import Shared
from opencode.instance.tui import (
    OLDER_COMMANDS,
    TOAST_MS,
    TuiCommandExecute,
    TuiPromptAppend,
    TuiRequest,
    TuiSessionSelect,
    TuiToastShow,
)


class AppendBody(Wire):
    """The text."""

    text: str


class CommandBody(Wire):
    """The command, by its name or the one that older clients use."""

    command: str


class SelectBody(Wire):
    """The session."""

    session_id: SessionID


def _tell(instance: Instance, event: Event) -> bool:
    """Publish it, whether or not somebody listens."""
    instance.events.publish(event)
    return True


def _toast(toast: TuiToastShow) -> TuiToastShow:
    return replace(toast, duration=set_or(toast.duration, TOAST_MS))


@operation("tui.appendPrompt", "POST", "/tui/append-prompt", errors=("BadRequest",))
def append_prompt(instance: Instance, body: AppendBody) -> bool:
    """Add text to the prompt."""
    return _tell(instance, TuiPromptAppend(text=body.text))


@operation("tui.openHelp", "POST", "/tui/open-help")
def open_help(instance: Instance) -> bool:
    """Show the help."""
    return _tell(instance, TuiCommandExecute(command="help.show"))


@operation("tui.openSessions", "POST", "/tui/open-sessions")
def open_sessions(instance: Instance) -> bool:
    """Show the list of sessions."""
    return _tell(instance, TuiCommandExecute(command="session.list"))


@operation("tui.openThemes", "POST", "/tui/open-themes")
def open_themes(instance: Instance) -> bool:
    """Show the list of themes."""
    return _tell(instance, TuiCommandExecute(command="theme.switch"))


@operation("tui.openModels", "POST", "/tui/open-models")
def open_models(instance: Instance) -> bool:
    """Show the list of models."""
    return _tell(instance, TuiCommandExecute(command="model.list"))


@operation("tui.submitPrompt", "POST", "/tui/submit-prompt")
def submit_prompt(instance: Instance) -> bool:
    """Send the prompt."""
    return _tell(instance, TuiCommandExecute(command="prompt.submit"))


@operation("tui.clearPrompt", "POST", "/tui/clear-prompt")
def clear_prompt(instance: Instance) -> bool:
    """Empty the prompt."""
    return _tell(instance, TuiCommandExecute(command="prompt.clear"))


@operation("tui.executeCommand", "POST", "/tui/execute-command", errors=("BadRequest",))
def execute_command(instance: Instance, body: CommandBody) -> bool:
    """Run a command of the interface."""
    return _tell(instance, TuiCommandExecute(command=OLDER_COMMANDS.get(body.command, body.command)))


@operation("tui.showToast", "POST", "/tui/show-toast")
def show_toast(instance: Instance, body: TuiToastShow) -> bool:
    """Show a short notice."""
    return _tell(instance, _toast(body))


@operation("tui.selectSession", "POST", "/tui/select-session", errors=("BadRequest", "NotFoundError"))
def select_session(instance: Instance, body: SelectBody) -> bool:
    """Go to a session."""
    instance.sessions.get_raw(body.session_id)
    return _tell(instance, TuiSessionSelect(session_id=body.session_id))


@operation("tui.publish", "POST", "/tui/publish", errors=("BadRequest",))
def publish(instance: Instance, body: TuiEvent) -> bool:
    """Send one of the events of this group."""
    event = body.properties
    return _tell(instance, _toast(event) if isinstance(event, TuiToastShow) else event)


@operation("tui.control.next", "GET", "/tui/control/next", ends_with_client=True)
async def next_request(instance: Instance, shared: Shared) -> TuiRequest:
    """Wait for the next request to an interface."""
    return await shared.tui.next()


@operation("tui.control.response", "POST", "/tui/control/response")
async def answer_request(instance: Instance, shared: Shared, body: Any) -> bool:
    """Answer the request that was taken last."""
    await shared.tui.answer(body)
    return True


operations = (
    append_prompt,
    open_help,
    open_sessions,
    open_themes,
    open_models,
    submit_prompt,
    clear_prompt,
    execute_command,
    show_toast,
    select_session,
    publish,
    next_request,
    answer_request,
)
