"""``opencode run``: one turn without a screen (spec: CLI, section 4)."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opencode.cli.asker import Allowing, Asker, Refusing, Terminal
from opencode.cli.errors import CliError
from opencode.cli.message import file_parts, message_text
from opencode.cli.options import GlobalOptions, RunOptions
from opencode.cli.render import JsonOutput, Output, TextOutput
from opencode.cli.session_choice import check_options, choose_agent, choose_session, parse_model
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.cli.turn import Turn
from opencode.client.client import DEFAULT_USERNAME, OpenCodeClient
from opencode.client.errors import ClientError
from opencode.core.clock import SystemClock
from opencode.core.tasks import task_group
from opencode.core.wire import UNSET
from opencode.session.inputs import CommandInput, PromptInput
from opencode.session.schema import MessageWithParts, Session, TextPartInput

INTERRUPTED = 130


def run_command(globals_: GlobalOptions, options: RunOptions) -> int:
    """The whole command. 0 when the turn ended well, 1 when anything failed, 130 when interrupted."""
    check_options(options)
    message = message_text(options.message, sys.stdin)
    if not message.strip() and not options.command:
        raise CliError("You must provide a message or a command")
    with surroundings(globals_) as around:
        try:
            return anyio.run(_run, around, options, message, backend_options={"use_uvloop": True})
        except ClientError as error:
            raise CliError(str(error)) from error


async def _run(around: Surroundings, options: RunOptions, message: str) -> int:
    async with _connected(around, options) as connect:
        async with connect(options.dir) as client:
            session = await choose_session(client, options, message)
            if options.share:
                await _share(client, session)
        # From here on the session's own directory counts, wherever the server keeps it.
        async with connect(session.directory) as client:
            run = _Run(options, session, client)
            await run.turn(message)
        return run.exit_code


Connect = Callable[[str | None], OpenCodeClient]


@asynccontextmanager
async def _connected(around: Surroundings, options: RunOptions) -> AsyncIterator[Connect]:
    """A way to make clients of the server to use: the one named, or one that lives as long as this run."""
    if options.attach is not None:
        url = options.attach
        username = options.username or around.environment.get("OPENCODE_SERVER_USERNAME") or DEFAULT_USERNAME
        password = options.password or around.environment.get("OPENCODE_SERVER_PASSWORD")
        yield lambda directory: OpenCodeClient(url, directory=directory, username=username, password=password)
        return

    from opencode.cli.local_server import local_server  # with --attach, none of the server is loaded

    directory = _enter(options.dir)
    async with local_server(around, port=options.port) as server:
        yield lambda given: OpenCodeClient(
            server.url, directory=given or directory, username=server.username, password=server.password
        )


def _enter(directory: str | None) -> str:
    """Work in that directory, the current one by default; its absolute path."""
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise CliError(f"Failed to change directory to {directory}: {error.strerror}") from error
    return str(Path.cwd())


async def _share(client: OpenCodeClient, session: Session) -> None:
    try:
        shared = await client.share(session.id)
    except ClientError as error:
        print(f"Not shared: {error}", file=sys.stderr, flush=True)
        return
    if shared.share is not UNSET:
        print(f"~  {shared.share.url}", file=sys.stderr, flush=True)


class _Run:
    """One turn of one session, and its exit code."""

    def __init__(self, options: RunOptions, session: Session, client: OpenCodeClient) -> None:
        self._options = options
        self._session = session
        self._client = client
        self._turn = Turn(client, session.id, _output(options, session), _asker(options))
        self._interrupted = False

    @property
    def exit_code(self) -> int:
        if self._interrupted:
            return INTERRUPTED
        return 1 if self._turn.failed else 0

    async def turn(self, message: str) -> None:
        """Send the message and show what comes of it."""
        prompt = await self._prompt(message)
        async with self._client.events() as stream, task_group() as tasks:
            tasks.start_soon(self._stop_when_interrupted)
            await self._turn.run(stream, prompt)
            tasks.cancel_scope.cancel()

    async def _stop_when_interrupted(self) -> None:
        """Ctrl-C aborts the turn on the server; the run then ends as every turn does."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                self._interrupted = True
                await self._client.abort(self._session.id)

    async def _prompt(self, message: str) -> Callable[[], Awaitable[MessageWithParts]]:
        """What sends the prompt or command, with everything checked before."""
        options = self._options
        agent, warning = await choose_agent(self._client, options.agent)
        if warning is not None:
            print(f"! {warning}", file=sys.stderr, flush=True)
        model = parse_model(options.model)
        files = file_parts(options.file, Path.cwd(), inline=options.attach is not None)
        variant = options.variant or UNSET
        if options.command is not None:
            command = CommandInput(
                command=options.command,
                arguments=message,
                agent=agent or UNSET,
                model=options.model or UNSET,
                variant=variant,
                parts=files or UNSET,
            )
            return lambda: self._client.command(self._session.id, command)
        body = PromptInput(
            agent=agent or UNSET, model=model or UNSET, variant=variant, parts=[*files, TextPartInput(text=message)]
        )
        return lambda: self._client.prompt(self._session.id, body)


def _output(options: RunOptions, session: Session) -> Output:
    if options.format == "json":
        return JsonOutput(session.id, SystemClock(), thinking=options.thinking)
    return TextOutput(thinking=options.thinking)


def _asker(options: RunOptions) -> Asker:
    if options.auto:
        return Allowing()
    return Terminal(sys.stdin.fileno()) if sys.stdin.isatty() and sys.stderr.isatty() else Refusing()
