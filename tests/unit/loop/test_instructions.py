from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import msgspec
import pytest

from opencode.config.environment import Environment
from opencode.config.schema import Config
from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.paths import Paths
from opencode.core.wire import UNSET
from opencode.loop.instruction_pages import is_url
from opencode.loop.instructions import InstructionFiles
from opencode.provider.schema import ModelID, ProviderID
from opencode.session.schema import (
    CreatedTime,
    MessageWithParts,
    PromptModel,
    ToolPart,
    ToolStateCompleted,
    ToolTime,
    UserMessage,
)
from opencode.tool.tool import ToolContext


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/project/pkg").mkdir(parents=True)
    return tmp_path / "home"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or f"rules of {path.parent.name}")
    return path


def files(home: Path, environ: dict[str, str] | None = None, **config: Any) -> InstructionFiles:
    return InstructionFiles(
        home / "project/pkg",
        home / "project",
        Paths.from_environ({"HOME": str(home)}),
        msgspec.convert(config, Config),
        Environment(environ or {}),
    )


async def sources(instructions: InstructionFiles, home: Path) -> list[str]:
    """Where the system-level instructions come from, relative to the home."""
    return [file.source.removeprefix(f"{home}/") for file in await instructions.system()]


# --- for the whole session --------------------------------------------------------------------------------------


async def test_the_users_file_comes_first_then_the_project_from_the_directory_up(home: Path) -> None:
    for place in (".config/opencode", "project", "project/pkg"):
        write(home / place / "AGENTS.md")
    write(home / "AGENTS.md", "above the worktree")
    assert await sources(files(home), home) == [
        ".config/opencode/AGENTS.md",
        "project/pkg/AGENTS.md",
        "project/AGENTS.md",
    ]


async def test_a_block_names_its_source(home: Path) -> None:
    path = write(home / "project/AGENTS.md", "Be kind.\n")
    (file,) = await files(home).system()
    assert file.block == f"Instructions from: {path}\nBe kind.\n"


async def test_other_names_count_only_where_no_better_one_is_on_the_way(home: Path) -> None:
    write(home / "project/pkg/CLAUDE.md")
    write(home / "project/CONTEXT.md")
    assert await sources(files(home), home) == ["project/pkg/CLAUDE.md"]
    write(home / "project/AGENTS.md")
    assert await sources(files(home), home) == ["project/AGENTS.md"]


async def test_files_of_another_tool_can_be_switched_off(home: Path) -> None:
    write(home / "project/CLAUDE.md")
    write(home / ".claude/CLAUDE.md")
    write(home / "project/CONTEXT.md")
    assert await sources(files(home), home) == [".claude/CLAUDE.md", "project/CLAUDE.md"]
    for variable in ("OPENCODE_DISABLE_CLAUDE_CODE", "OPENCODE_DISABLE_CLAUDE_CODE_PROMPT"):
        assert await sources(files(home, {variable: "1"}), home) == ["project/CONTEXT.md"]


async def test_the_users_own_configuration_directory_comes_before_the_usual_one(home: Path) -> None:
    write(home / ".config/opencode/AGENTS.md")
    write(home / "mine/AGENTS.md")
    assert await sources(files(home, {"OPENCODE_CONFIG_DIR": str(home / "mine")}), home) == ["mine/AGENTS.md"]


async def test_project_files_can_be_switched_off(home: Path) -> None:
    write(home / "project/AGENTS.md")
    write(home / "project/extra.md")
    write(home / "mine/extra.md")
    environ = {"OPENCODE_DISABLE_PROJECT_CONFIG": "1"}
    assert await sources(files(home, environ, instructions=["extra.md"]), home) == []
    environ["OPENCODE_CONFIG_DIR"] = str(home / "mine")
    assert await sources(files(home, environ, instructions=["extra.md"]), home) == ["mine/extra.md"]


async def test_configured_paths_may_be_relative_absolute_or_in_the_home_and_have_wildcards(home: Path) -> None:
    for place in ("project/pkg/rules/b.md", "project/pkg/rules/a.md", "project/.rules/c.md", "own/d.md", "x/e.md"):
        write(home / place)
    wanted = ["rules/*.md", ".rules/*.md", "~/own/d.md", f"{home}/x/*.md", "missing.md", "rules/a.md", ""]
    assert await sources(files(home, instructions=wanted), home) == [
        "project/pkg/rules/a.md",
        "project/pkg/rules/b.md",
        "project/.rules/c.md",
        "own/d.md",
        "x/e.md",
    ]


async def test_empty_and_unreadable_files_are_left_out(home: Path) -> None:
    write(home / "project/AGENTS.md", "  \n")
    (home / "project/pkg/AGENTS.md").mkdir()
    assert await files(home).system() == []


async def test_changes_to_a_file_count_at_once(home: Path) -> None:
    instructions = files(home)
    write(home / "project/AGENTS.md", "old")
    assert [file.content for file in await instructions.system()] == ["old"]
    write(home / "project/AGENTS.md", "new")
    assert [file.content for file in await instructions.system()] == ["new"]


# --- by address -------------------------------------------------------------------------------------------------


class Page(BaseHTTPRequestHandler):
    """Answers ``/ok``, sends on there from ``/moved``, and counts; everything else is missing."""

    def __init__(self, seen: list[str], *args: Any) -> None:
        self._seen = seen
        super().__init__(*args)

    def do_GET(self) -> None:
        self._seen.append(self.path)
        self.send_response({"/ok": 200, "/moved": 302}.get(self.path, 404))
        if self.path == "/moved":
            self.send_header("location", "/ok")
        self.end_headers()
        self.wfile.write(b"rules of the web")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def pages() -> Iterator[tuple[str, list[str]]]:
    """Their address, and the paths that are asked for."""
    seen: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Page, seen)) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


async def test_addresses_are_fetched_once_and_failures_left_out(home: Path) -> None:
    with pages() as (base, seen):
        instructions = files(home, instructions=[f"{base}/gone", f"{base}/ok", "http://127.0.0.1:9/"])
        for _ in range(2):
            assert [file.block for file in await instructions.system()] == [
                f"Instructions from: {base}/ok\nrules of the web"
            ]
    assert sorted(seen) == ["/gone", "/ok"]


async def test_an_address_that_has_moved_is_followed_and_named_as_it_was_given(home: Path) -> None:
    with pages() as (base, seen):
        [file] = await files(home, instructions=[f"{base}/moved"]).system()
    assert file.block.startswith(f"Instructions from: {base}/moved\n")
    assert "/moved" in seen


@pytest.mark.parametrize(
    ("entry", "is_address"),
    [("http://a/b", True), ("https://a/b", True), ("docs/*.md", False), ("~/https.md", False), ("ftp://a", False)],
)
def test_addresses_are_those_of_the_web(entry: str, is_address: bool) -> None:
    assert is_url(entry) is is_address


# --- on reading -------------------------------------------------------------------------------------------------


def context(home: Path, *history: MessageWithParts, message: str = "msg_1") -> ToolContext:
    async def nothing(*_: Any, **__: Any) -> None: ...

    return ToolContext(
        session_id=SessionID("ses_1"),
        message_id=MessageID(message),
        call_id="call_1",
        agent="build",
        directory=home / "project/pkg",
        worktree=home / "project",
        model=None,
        history=list(history),
        ask=nothing,
        report=nothing,
    )


def a_read(*loaded: Path, pruned: bool = False) -> MessageWithParts:
    """A message with one read that brought these instructions along."""
    ids: dict[str, Any] = {"session_id": SessionID("ses_1"), "message_id": MessageID("msg_0")}
    state = ToolStateCompleted(
        input={},
        output="",
        title="",
        metadata={"loaded": [str(path) for path in loaded]},
        time=ToolTime(start=1, end=2, compacted=3 if pruned else UNSET),
    )
    model = PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m"))
    info = UserMessage(
        id=MessageID("msg_0"),
        session_id=SessionID("ses_1"),
        time=CreatedTime(created=1),
        agent="build",
        model=model,
    )
    return MessageWithParts(
        info=info, parts=[ToolPart(id=PartID("prt_1"), call_id="c", tool="read", state=state, **ids)]
    )


async def test_reading_a_file_brings_the_instructions_of_its_folders_nearest_first(home: Path) -> None:
    write(home / "project/pkg/AGENTS.md")
    outer, inner = write(home / "project/pkg/a/AGENTS.md"), write(home / "project/pkg/a/b/CLAUDE.md")
    read = home / "project/pkg/a/b/c/file.py"
    assert await files(home).nested(read, context(home)) == [inner, outer]


async def test_files_outside_the_instance_directory_bring_nothing(home: Path) -> None:
    write(home / "project/other/AGENTS.md")
    assert await files(home).nested(home / "project/other/file.py", context(home)) == []


async def test_the_file_itself_and_system_level_files_are_not_repeated(home: Path) -> None:
    itself = write(home / "project/pkg/a/AGENTS.md")
    assert await files(home).nested(itself, context(home)) == []
    configured = files(home, instructions=["a/AGENTS.md"])
    assert await configured.nested(home / "project/pkg/a/file.py", context(home)) == []


async def test_instructions_come_again_only_after_their_read_was_pruned(home: Path) -> None:
    path, read = write(home / "project/pkg/a/AGENTS.md"), home / "project/pkg/a/file.py"
    instructions = files(home)
    assert await instructions.nested(read, context(home, a_read(path))) == []
    assert await instructions.nested(read, context(home, a_read(path, pruned=True))) == [path]


async def test_of_parallel_reads_in_one_folder_only_one_brings_its_instructions(home: Path) -> None:
    path = write(home / "project/pkg/a/AGENTS.md")
    instructions = files(home, instructions=["none.md"])
    found: list[list[Path]] = []

    async def read(name: str) -> None:
        found.append(await instructions.nested(home / "project/pkg/a" / name, context(home)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "one.py")
        tasks.start_soon(read, "two.py")
    assert sorted(found) == [[], [path]]
    assert await instructions.nested(path.with_name("x"), context(home, message="msg_2")) == [path]


async def test_claims_are_forgotten_when_the_step_has_ended(home: Path) -> None:
    path = write(home / "project/pkg/a/AGENTS.md")
    instructions = files(home)
    assert await instructions.nested(path.with_name("x"), context(home)) == [path]
    instructions.release(MessageID("msg_1"))
    assert await instructions.nested(path.with_name("x"), context(home)) == [path]
