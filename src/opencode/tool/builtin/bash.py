"""``bash``: run a command in the person's shell (spec: tools core, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import anyio
from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.tool.arguments import SAFE_INTEGER
from opencode.tool.description import prompt_text
from opencode.tool.external_directory import outside_of_project
from opencode.tool.shell_arity import command_prefix
from opencode.tool.shell_choice import plain_argv
from opencode.tool.shell_commands import CommandLine, parse_command_line
from opencode.tool.shell_live import LiveReports
from opencode.tool.shell_output import ShellOutput, preview
from opencode.tool.shell_run import stream_shell
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult
from opencode.tool.truncate import OutputTruncator
from opencode.tool.wrapper import PARTIAL_RESULT

DEFAULT_TIMEOUT_MS = 120_000
EXTRA_TIMEOUT_SECONDS = 0.1
ABORTED = "User aborted the command"


class BashParams(Wire):
    """Arguments of ``bash``."""

    command: Annotated[str, Meta(description="The command line to run.")]
    timeout: (
        Annotated[
            int, Meta(gt=0, le=SAFE_INTEGER, description="Milliseconds after which it is stopped. Default 120000.")
        ]
        | UnsetType
    ) = UNSET
    workdir: (
        Annotated[str, Meta(description="Directory to run it in, instead of `cd`. Default: the project directory.")]
        | UnsetType
    ) = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class BashSettings:
    """How commands are run in one directory. ``shell`` is an absolute path (``tool/shell_choice.py``)."""

    shell: str
    environ: Mapping[str, str]
    home: Path
    directory: Path
    default_timeout_ms: int = DEFAULT_TIMEOUT_MS


class BashTool(Tool[BashParams]):
    """``bash``: output and errors as one text, the end of it when it is long. The exit code is in the metadata."""

    id = "bash"
    params = BashParams

    def __init__(self, settings: BashSettings, truncator: OutputTruncator) -> None:
        self._settings = settings
        self._truncator = truncator
        self.description = (
            prompt_text("opencode.tool.builtin", "bash.md")
            .replace("{directory}", str(settings.directory))
            .replace("{timeout_ms}", str(settings.default_timeout_ms))
            .replace("{max_lines}", str(truncator.limits.max_lines))
            .replace("{max_bytes}", str(truncator.limits.max_bytes))
        )

    async def run(self, params: BashParams, context: ToolContext) -> ToolResult:
        """Raises ``ToolError`` for a directory that is not there. On cancellation leaves the output so far."""
        workdir = context.resolve(set_or(params.workdir, None))
        await self._ask(params.command, workdir, context)
        if not workdir.is_dir():
            raise ToolError(f"The working directory does not exist: {workdir}")
        with ShellOutput(self._truncator.limits, self._truncator.new_path) as output:
            try:
                note, exit_code = await self._run_shell(params, workdir, output, context)
            except anyio.get_cancelled_exc_class():
                with anyio.CancelScope(shield=True):
                    context.extra[PARTIAL_RESULT] = await _result(params.command, output, ABORTED, None, aborted=True)
                raise
            return await _result(params.command, output, note, exit_code)

    def limit_seconds(self, given: Mapping[str, Any]) -> float | None:
        return float(given.get("timeout") or self._settings.default_timeout_ms) / 1000 + EXTRA_TIMEOUT_SECONDS

    async def _run_shell(
        self, params: BashParams, workdir: Path, output: ShellOutput, context: ToolContext
    ) -> tuple[str | None, int | None]:
        """A note for the model, when there is something to say, and the exit code."""
        timeout_ms = set_or(params.timeout, self._settings.default_timeout_ms)
        live = LiveReports(lambda: context.report(metadata={"output": output.preview()}))

        async def collect(text: str) -> None:
            await output.add(text)
            live.changed()

        await context.report(metadata={"output": ""})
        async with live.running():
            exit_code = await stream_shell(
                plain_argv(self._settings.shell, params.command),
                cwd=workdir,
                env=self._settings.environ,
                on_text=collect,
                timeout_seconds=timeout_ms / 1000 + EXTRA_TIMEOUT_SECONDS,
            )
        return (_timeout_note(timeout_ms) if exit_code is None else None), exit_code

    async def _ask(self, command: str, workdir: Path, context: ToolContext) -> None:
        """Ask for the directories outside the project that it names, then for the commands."""
        line = parse_command_line(command)
        named = [workdir, *line.places(workdir, self._settings.home)]
        outside = [path for place in named if (path := outside_of_project(context, place)) is not None]
        directories = list(dict.fromkeys(str(path if path.is_dir() else path.parent) for path in outside))
        if directories:
            patterns = [f"{directory.rstrip('/')}/*" for directory in directories]
            await context.ask(
                "external_directory",
                patterns=patterns,
                always=patterns,
                metadata={"command": command, "directories": directories, "patterns": patterns},
            )
        if patterns := line.patterns():
            await context.ask("bash", patterns=patterns, always=_always(line), metadata={"command": command})


def _always(line: CommandLine) -> list[str]:
    prefixes = [" ".join(command_prefix(c.words)) for c in line.commands if c.words and not c.changes_directory]
    return list(dict.fromkeys(f"{prefix} *" for prefix in prefixes))


def _timeout_note(timeout_ms: int) -> str:
    return (
        f"shell tool terminated command after exceeding timeout {timeout_ms} ms. If this command is expected to take"
        " longer and is not waiting for interactive input, retry with a larger timeout value in milliseconds."
    )


async def _result(
    command: str, output: ShellOutput, note: str | None, exit_code: int | None, *, aborted: bool = False
) -> ToolResult:
    shown = output.preview()
    cut = await output.finish()
    text = cut.text or "(no output)"
    if note is not None:
        text += f"\n\n<shell_metadata>\n{note}\n</shell_metadata>"
    is_whole = cut.path is None
    metadata: dict[str, Any] = {
        "output": preview(text) if is_whole and not aborted else shown,
        "exit": exit_code,
        "truncated": not is_whole,
    }
    if cut.path is not None:
        metadata["outputPath"] = str(cut.path)
    return ToolResult(title=command, output=text, metadata=metadata)
